/**
 * Reads a file again after it was written. Reads run one at a time and in order, so that an older text never replaces a newer
 * one.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

export interface FileWatchOptions {
  readonly file: string;
  readonly log: Log;
  /** Writes within this time, in ms, cause one read: an editor often writes several times for one save. */
  readonly debounceMs: number;
  /** @param isSecondLook true if `lookAgain` caused this read. */
  readonly read: (isSecondLook: boolean) => Promise<void>;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading = Promise.resolve();

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { file, log, debounceMs } = this.#options;
    // The folder is watched: editors save by renaming a new file over the old one, which ends a watch on the file itself.
    this.#watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(file)) this.#lookIn(debounceMs, false);
    });
    this.#watcher.on('error', (error) => log.warn({ file, err: messageOf(error) }, 'the file is no longer watched'));
  }

  /** Reads once more after `inMs` without a write in between. */
  lookAgain(inMs: number): void {
    this.#lookIn(inMs, true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #lookIn(inMs: number, isSecondLook: boolean): void {
    const { file, log, read } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#reading = this.#reading
        .then(() => read(isSecondLook))
        .catch((error) => log.error({ file, err: messageOf(error) }, 'reading the file again failed'));
    }, inMs).unref();
  }
}
