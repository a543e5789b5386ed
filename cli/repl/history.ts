/** What was typed, across sessions: one line each in the state folder, readable by its owner alone. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

const mostLines = 1000;

export class History {
  /** Newest first, as readline wants them. */
  readonly lines: readonly string[];
  readonly #file: string;
  #last: string | undefined;
  /** A folder that cannot be written ends the keeping, not the session. */
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
      // One that an older umask or a copy has opened to others.
      chmodSync(this.#file, 0o600);
      return text.split('\n').filter((line) => line !== '');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
