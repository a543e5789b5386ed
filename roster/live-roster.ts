/**
 * Reloads the roster when its file changes while a node runs. After a broken edit the old roster stays in use, and the fault is
 * reported once per change. The shipped roster, and one from stdin, are not watched; a roster file that is created later is found
 * at the next start.
 */
import type { Log } from '../platform/log.ts';
import { RosterError } from './errors.ts';
import { FileWatch } from './file-watch.ts';
import { type FindRoster, findRoster, type RosterSource, stdinRoster } from './find-roster.ts';
import { loadRoster } from './load.ts';
import type { Roster } from './schema.ts';

export interface OpenRoster extends FindRoster {
  readonly log: Log;
  /** Called after each change that was applied. */
  readonly onChange?: (roster: Roster) => void;
  /** Called after each change that was not applied because the file is faulty. The old roster stays in use. */
  readonly onBroken?: (error: RosterError) => void;
  /** Several writes within this many ms count as one, because editors write more than once per save. Default: 50. */
  readonly debounceMs?: number;
}

export interface LiveRoster {
  readonly source: RosterSource;
  current(): Roster;
  /** Calls `listener` after each change that was applied, until the returned function is called. */
  onChange(listener: () => void): () => void;
  stop(): void;
}

/** A faulty file is read once more after this many ms, because another program may still be writing it. */
const againMs = 500;

/** @throws RosterError if the first load fails. */
export async function openRoster(options: OpenRoster): Promise<LiveRoster> {
  const { log, onChange, onBroken, debounceMs = 50 } = options;
  const source = await findRoster(options);
  let roster = await loadRoster(source.file);
  const listeners = new Set<() => void>();
  let isStopped = false;
  let lastComplaint = '';

  const reload = async (isSecondLook: boolean): Promise<void> => {
    if (isStopped) return;
    try {
      const next = await loadRoster(source.file);
      if (isStopped) return;
      lastComplaint = '';
      if (JSON.stringify(next) === JSON.stringify(roster)) return;
      roster = next;
      log.info({ file: source.file }, 'roster changed');
      onChange?.(next);
      for (const listener of listeners) listener();
    } catch (error) {
      if (!(error instanceof RosterError)) throw error;
      if (isStopped || error.message === lastComplaint) return;
      // The file may be half written, or gone for a moment.
      if (!isSecondLook) return file.lookAgain(againMs);
      lastComplaint = error.message;
      log.warn({ file: source.file, code: error.code, err: error.message }, 'roster is faulty; the old one stays in use');
      onBroken?.(error);
    }
  };
  const file = new FileWatch({ file: source.file, log, debounceMs, read: reload });
  if (source.by !== 'shipped' && source.file !== stdinRoster) file.start();

  return {
    source,
    current: () => roster,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      isStopped = true;
      file.stop();
    },
  };
}
