/**
 * The file of the log, which all processes of a user write to. When it is longer than 10 MB it is renamed to `cox.log.1`, which
 * replaces the one before it; a process that still has the renamed file open notices and goes on in the new one. Writes are
 * synchronous, so that the lines before a crash are kept.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const maxBytes = 10_000_000;
/** A process looks at the length of the file each time that it has written this many bytes. */
const lookEachBytes = 65_536;

export class LogFile {
  readonly #path: string;
  readonly #onFailure: (cause: unknown) => void;
  #fd: number | null = null;
  #unlooked = 0;
  #hasFailed = false;

  /** @param onFailure called the first time that a line cannot be written. Such a line is dropped; the next one is tried again. */
  constructor(path: string, onFailure: (cause: unknown) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
    this.renew();
  }

  write(line: string): void {
    this.#attempt(() => {
      this.#unlooked += writeSync(this.#fd ?? this.#open(), line);
      if (this.#unlooked >= lookEachBytes) this.#look();
    });
  }

  /** Goes on in the file that is at the path now, and makes one if there is none. */
  renew(): void {
    this.#attempt(() => this.#look());
  }

  #look(): void {
    this.#unlooked = 0;
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (this.#fd !== null && now?.ino === fstatSync(this.#fd).ino && now.size <= maxBytes) return;
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#open();
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    if (existsSync(this.#path) && statSync(this.#path).size > maxBytes) renameSync(this.#path, `${this.#path}.1`);
    this.#fd = openSync(this.#path, 'a', 0o600);
    return this.#fd;
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (cause) {
      if (!this.#hasFailed) this.#onFailure(cause);
      this.#hasFailed = true;
    }
  }
}
