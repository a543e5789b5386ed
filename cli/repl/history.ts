/** The lines typed at the prompt, kept across sessions in a file in the state folder that only its owner can read. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

const mostLines = 1000;

export class History {
  /** Newest first, as readline expects them. */
  readonly lines: readonly string[];
  readonly #file: string;
  #last: string | undefined;
  /** Whether the file could not be read or written. Lines are then no longer kept, but the session continues. */
  #broken = false;

  constructor(stateFolder: string, onProblem: (problem: string) => void) {
    this.#file = join(stateFolder, 'history');
    const lines = this.#read(onProblem);
    this.lines = lines.toReversed();
    this.#last = lines.at(-1);
  }

  add(line: string): void {
    if (this.#broken || line.trim() === '' || line === this.#last) return;
    this.#last = line;
    try {
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    } catch {
      this.#broken = true;
    }
  }

  #read(onProblem: (problem: string) => void): string[] {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      const lines = this.#existing();
      const kept = lines.slice(-mostLines);
      if (kept.length < lines.length) writeFileSync(this.#file, `${kept.join('\n')}\n`, { mode: 0o600 });
      return kept;
    } catch (error) {
      this.#broken = true;
      onProblem(`The history cannot be kept in ${this.#file} (${codeOf(error) || String(error)}).`);
      return [];
    }
  }

  #existing(): string[] {
    try {
      const text = readFileSync(this.#file, 'utf8');
      // An older umask or a copy may have made the file readable for others.
      chmodSync(this.#file, 0o600);
      return text.split('\n').filter((line) => line !== '');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
