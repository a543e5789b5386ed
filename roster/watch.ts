/**
 * The roster while a node runs: it follows the file. A broken edit keeps the old roster and is reported, once per change. When the shipped
 * roster is in use there is nothing to follow: a file that is created later is found at the next start.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { RosterError } from './errors.ts';
import { loadRoster } from './load.ts';
import type { Roster } from './schema.ts';
import { type FindRoster, findRoster, type RosterSource } from './source.ts';

export interface OpenRoster extends FindRoster {
  readonly log: Log;
  /** After each change that was taken up. */
  readonly onChange?: (roster: Roster) => void;
  /** After each change that was not: the old roster stays. */
  readonly onBroken?: (error: RosterError) => void;
  /** An editor's several writes of one save are taken as one, in ms. Default: 50. */
  readonly debounceMs?: number;
}

export interface LiveRoster {
  readonly source: RosterSource;
  current(): Roster;
  /** After each change that was taken up, until the returned function is called. */
  onChange(listener: () => void): () => void;
  stop(): void;
}

/** What cannot be read is looked at once more, so long after: a slow machine may be in the midst of writing it. */
const againMs = 500;

/** @throws RosterError if the first load fails. */
export async function openRoster(options: OpenRoster): Promise<LiveRoster> {
  const { log, onChange, onBroken, debounceMs = 50 } = options;
  const source = await findRoster(options);
  let roster = await loadRoster(source.file);
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let isStopped = false;
  let lastComplaint = '';
  let reading = Promise.resolve();

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
      // Perhaps it is only half written yet, or gone for a moment.
      if (!isSecondLook) return look(againMs, true);
      lastComplaint = error.message;
      log.warn({ file: source.file, code: error.code, err: error.message }, 'roster is broken, the old one stays');
      onBroken?.(error);
    }
  };
  const look = (inMs: number, isSecond: boolean): void => {
    clearTimeout(timer);
    timer = setTimeout(() => reloadInTurn(isSecond), inMs).unref();
  };
  // One at a time and in order, so that an older text never replaces a newer one.
  const reloadInTurn = (isSecond: boolean): void => {
    reading = reading.then(() => reload(isSecond)).catch((error) => log.error({ err: messageOf(error) }, 'roster reload failed'));
  };

  if (source.by !== 'shipped') {
    // The folder, not the file: editors save by renaming a new file over the old one.
    watcher = watch(dirname(source.file), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(source.file)) return;
      look(debounceMs, false);
    });
    watcher.on('error', (error) => log.warn({ err: messageOf(error) }, 'roster is no longer watched'));
  }

  return {
    source,
    current: () => roster,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
