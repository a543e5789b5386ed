/** Breaks a stream of text into lines: at newlines, and at a blank where a line would become too long. */
import { printable } from '../render/printable.ts';
import { head } from '../render/width.ts';

/** Breaks a complete text into lines of at most `columns` columns. */
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

  /** @param columns widest line in columns of a terminal, at least 19; Infinity breaks only at newlines. */
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
    const columns = Math.max(19, this.#columns());
    let rest = text;
    for (;;) {
      const fits = head(rest, columns);
      if (fits.length === rest.length) break;
      // A blank right behind what fits is as good a place as one within it.
      const blank = rest.lastIndexOf(' ', fits.length);
      const cut = blank > 0 ? blank : Math.max(1, fits.length);
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
