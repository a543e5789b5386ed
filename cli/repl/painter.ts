/**
 * Draws the prompt below everything printed, and erases it again. It knows what it has drawn as rows with widths, so that it
 * finds the first of them after a resize too: a terminal that became narrower breaks each row anew, and one that became wider
 * joins nothing, because the rows end in line breaks of ours.
 */
import { widthOf } from '../render/width.ts';
import type { Layout } from './layout.ts';

const esc = '\u001b';

export class Painter {
  #widths: readonly number[] = [];
  #cursor: Layout['cursor'] = { row: 0, column: 0 };

  /** The codes that erase what was drawn and leave the cursor at its first row. Empty if nothing is drawn. */
  erased(columns: number): string {
    if (this.#widths.length === 0) return '';
    const above = this.#widths.slice(0, this.#cursor.row).reduce((sum, width) => sum + rowsOf(width, columns), 0);
    // Behind a row that exactly fills the new width, the cursor stays on it: too few rows erased double a row, too many lose one.
    const own = rowsOf(this.#widths[this.#cursor.row] ?? 0, columns);
    const up = above + Math.min(Math.floor(this.#cursor.column / Math.max(1, columns)), own - 1);
    this.#widths = [];
    return `${up > 0 ? `${esc}[${up}A` : ''}\r${esc}[J`;
  }

  /** The codes that draw rows at the cursor. */
  drawn({ rows, cursor }: Layout): string {
    this.#widths = rows.map((row) => widthOf(row));
    this.#cursor = cursor;
    const up = rows.length - 1 - cursor.row;
    return `${rows.join('\r\n')}${up > 0 ? `${esc}[${up}A` : ''}\r${cursor.column > 0 ? `${esc}[${cursor.column}C` : ''}`;
  }

  /** Leaves what is drawn on the screen. */
  forget(): void {
    this.#widths = [];
  }
}

const rowsOf = (width: number, columns: number): number => Math.max(1, Math.ceil(width / Math.max(1, columns)));
