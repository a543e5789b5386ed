/**
 * The part of a terminal that our drawing uses: what a person sees after all that was written. Letters are grapheme clusters of
 * one or two columns, and a resize breaks long rows anew, as most terminals do.
 */
import stringWidth from 'string-width';

interface Row {
  /** A wide letter is followed by an empty cell. */
  cells: string[];
  /** Whether the row is the rest of the one above, which was too long. */
  goesOn: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: reading control sequences is what this is for
const tokenPattern = /\u001b\[([0-9;?]*)([A-Za-z])|\u001b[()][A-Z0-9]|\u001b[=>]|[\u0000-\u001f]|[^\u0000-\u001f]+/gu;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export class ScreenModel {
  #columns: number;
  readonly #rows: number;
  #lines: Row[] = [{ cells: [], goesOn: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** All lines, including those that have scrolled away, without trailing blanks. */
  get lines(): string[] {
    return this.#lines.map(({ cells }) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  /** The line of the cursor, and the column within it. */
  get cursor(): { line: string; column: number } {
    return { line: this.lines[this.#row] ?? '', column: this.#column };
  }

  write(text: string): void {
    const tokens = text.matchAll(tokenPattern);
    for (const [token, args, command] of tokens) {
      if (command !== undefined) this.#control(command, (args ?? '').split(';').map(Number));
      else if (token === '\n') this.#down(false);
      else if (token === '\r') this.#column = 0;
      else if (token === '\b') this.#column = Math.max(0, this.#column - 1);
      else if (token >= ' ') for (const { segment } of segmenter.segment(token)) this.#put(segment);
    }
  }

  resize(columns: number): void {
    this.#columns = columns;
    const whole: string[][] = [];
    let cursor = { line: 0, cell: 0 };
    this.#lines.forEach(({ cells, goesOn }, at) => {
      if (!goesOn) whole.push([]);
      const line = whole.at(-1)!;
      if (at === this.#row) cursor = { line: whole.length - 1, cell: line.length + this.#column };
      line.push(...cells);
    });
    this.#lines = [];
    whole.forEach((cells, at) => {
      const first = this.#lines.length;
      for (let from = 0; from === 0 || from < cells.length; from += columns)
        this.#lines.push({ cells: cells.slice(from, from + columns), goesOn: from > 0 });
      if (at !== cursor.line) return;
      this.#row = Math.min(first + Math.floor(cursor.cell / columns), this.#lines.length - 1);
      this.#column = cursor.cell % columns;
    });
  }

  #put(letter: string): void {
    const wide = stringWidth(letter);
    if (this.#column + wide > this.#columns) {
      this.#column = 0;
      this.#down(true);
    }
    const { cells } = this.#lines[this.#row]!;
    while (cells.length < this.#column) cells.push(' ');
    cells[this.#column] = letter;
    if (wide === 2) cells[this.#column + 1] = '';
    this.#column += wide;
  }

  #down(goesOn: boolean): void {
    this.#row += 1;
    while (this.#lines.length <= this.#row) this.#lines.push({ cells: [], goesOn });
  }

  #control(command: string, [first = 0, second = 0]: number[]): void {
    const n = Math.max(1, first);
    // The cursor cannot leave the screen upwards: lines that have scrolled away are out of reach.
    const top = Math.max(0, this.#lines.length - this.#rows);
    const { cells } = this.#lines[this.#row]!;
    if (command === 'A') this.#row = Math.max(top, this.#row - n);
    if (command === 'B') this.#row = Math.min(this.#lines.length - 1, this.#row + n);
    if (command === 'C') this.#column = Math.min(this.#columns - 1, this.#column + n);
    if (command === 'D') this.#column = Math.max(0, this.#column - n);
    if (command === 'G') this.#column = n - 1;
    if (command === 'H') [this.#row, this.#column] = [top + n - 1, Math.max(1, second) - 1];
    if (command === 'K' || (command === 'J' && first === 0)) cells.length = Math.min(cells.length, this.#column);
    if (command === 'J' && first === 0) this.#lines.length = this.#row + 1;
  }
}
