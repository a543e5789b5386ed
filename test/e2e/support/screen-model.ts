/** The part of a terminal that readline and our own drawing use: what a person sees after all that was written. */
export class ScreenModel {
  readonly #columns: number;
  readonly #rows: number;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** All lines, including those that have scrolled away, without trailing blanks. */
  get lines(): string[] {
    return this.#lines.map((line) =>
      Array.from(line, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  /** The line of the cursor, and the column within it. */
  get cursor(): { line: string; column: number } {
    return { line: this.lines[this.#row] ?? '', column: this.#column };
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: reading control sequences is what this is for
    const tokens = text.matchAll(/\u001b\[([0-9;?]*)([A-Za-z])|\u001b[()][A-Z0-9]|\u001b[=>]|[\s\S]/gu);
    for (const [token, args, command] of tokens) {
      if (command !== undefined) this.#control(command, (args ?? '').split(';').map(Number));
      else if (token === '\n') this.#down();
      else if (token === '\r') this.#column = 0;
      else if (token === '\b') this.#column = Math.max(0, this.#column - 1);
      else if (token >= ' ') this.#put(token);
    }
  }

  #put(cell: string): void {
    if (this.#column >= this.#columns) {
      this.#column = 0;
      this.#down();
    }
    const line = this.#lines[this.#row]!;
    while (line.length < this.#column) line.push(' ');
    line[this.#column] = cell;
    this.#column += 1;
  }

  #down(): void {
    this.#row += 1;
    while (this.#lines.length <= this.#row) this.#lines.push([]);
  }

  #control(command: string, [first = 0, second = 0]: number[]): void {
    const n = Math.max(1, first);
    // The cursor cannot leave the screen upwards: lines that have scrolled away are out of reach.
    const top = Math.max(0, this.#lines.length - this.#rows);
    if (command === 'A') this.#row = Math.max(top, this.#row - n);
    if (command === 'B') this.#row = Math.min(this.#lines.length - 1, this.#row + n);
    if (command === 'C') this.#column = Math.min(this.#columns - 1, this.#column + n);
    if (command === 'D') this.#column = Math.max(0, this.#column - n);
    if (command === 'G') this.#column = n - 1;
    if (command === 'H') [this.#row, this.#column] = [top + n - 1, Math.max(1, second) - 1];
    if (command === 'K') this.#lines[this.#row]!.length = Math.min(this.#lines[this.#row]!.length, this.#column);
    if (command === 'J' && first === 0) {
      this.#lines[this.#row]!.length = Math.min(this.#lines[this.#row]!.length, this.#column);
      this.#lines.length = this.#row + 1;
    }
  }
}
