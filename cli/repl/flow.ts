/** Breaks a stream of text into lines: at newlines, and at a blank where a line would become too long. */
import { printable } from '../render/printable.ts';

/** Breaks a complete text into lines of at most `columns` characters. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  const flow = new Flow(
    () => columns,
    (line) => lines.push(line),
  );
  flow.push(text);
  flow.end();
  return lines;
}

export class Flow {
  readonly #columns: () => number;
  readonly #say: (line: string) => void;
  #rest = '';
  #said = false;

  /** @param columns longest line in characters, at least 20; Infinity breaks only at newlines. */
  constructor(columns: () => number, say: (line: string) => void) {
    this.#columns = columns;
    this.#say = say;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#wrap(line, true);
    this.#rest = this.#wrap(this.#rest, false);
  }

  /** Emits the rest of the text. Returns whether any line was emitted since the last call of `end`. */
  end(): boolean {
    if (this.#rest !== '') this.#wrap(this.#rest, true);
    this.#rest = '';
    const said = this.#said;
    this.#said = false;
    return said;
  }

  #wrap(text: string, whole: boolean): string {
    const columns = Math.max(20, this.#columns());
    let rest = text;
    while (rest.length > columns) {
      const blank = rest.lastIndexOf(' ', columns);
      const cut = blank > 0 ? blank : columns;
      this.#emit(rest.slice(0, cut));
      rest = rest.slice(blank > 0 ? cut + 1 : cut);
    }
    if (!whole) return rest;
    this.#emit(rest);
    return '';
  }

  #emit(line: string): void {
    this.#said = true;
    this.#say(printable(line));
  }
}
