/** What was typed at the prompt, kept across sessions in a file in the state folder that only its owner can read. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

const mostEntries = 1000;

export class History {
  /** Newest first. */
  readonly #entries: string[];
  readonly #file: string;
  /** Whether the file could not be read or written. Entries then live as long as the session. */
  #broken = false;

  constructor(stateFolder: string, onProblem: (problem: string) => void) {
    this.#file = join(stateFolder, 'history');
    this.#entries = this.#read(onProblem).toReversed();
  }

  /** Newest first, each as a whole, with its line breaks. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Adds what was typed, also if it was not sent. An entry that was there before moves to the front. */
  add(text: string): void {
    if (text.trim() === '' || text === this.#entries[0]) return;
    const before = this.#entries.indexOf(text);
    if (before >= 0) this.#entries.splice(before, 1);
    this.#entries.unshift(text);
    this.#entries.length = Math.min(this.#entries.length, mostEntries);
    if (this.#broken) return;
    try {
      appendFileSync(this.#file, `${encoded(text)}\n`, { mode: 0o600 });
    } catch {
      this.#broken = true;
    }
  }

  #read(onProblem: (problem: string) => void): string[] {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      const lines = this.#existing();
      const kept = lines.slice(-mostEntries);
      if (kept.length < lines.length) writeFileSync(this.#file, `${kept.join('\n')}\n`, { mode: 0o600 });
      return kept.map(decoded);
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

/** A line of the file is an entry as it was typed. One with line breaks is a JSON string, and so is one that looks like that. */
const encoded = (text: string): string => (/[\r\n]|^"/.test(text) ? JSON.stringify(text) : text);

function decoded(line: string): string {
  if (!line.startsWith('"')) return line;
  try {
    return String(JSON.parse(line));
  } catch {
    return line;
  }
}
