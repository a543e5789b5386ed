/** Where the prompt and the text behind it stand on the screen: rows that fit, and the place of the cursor. Pure. */
import { graphemes, widthOf } from '../render/width.ts';
import type { Cell, Draft, Folded } from './editor.ts';

export interface Layout {
  readonly rows: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** Begins each further line of a text, so that it cannot be taken for a line of output. */
export const continuation = '   | ';

/** A folded text as the prompt shows it. */
export function foldedText({ folded }: Folded): string {
  const lines = folded.split('\n').length;
  const size = folded.length < 1000 ? `${folded.length}` : `${(folded.length / 1000).toFixed(1)}k`;
  return `[${lines === 1 ? '' : `${lines} lines, `}${size} characters]`;
}

const shownLetters = (cell: Cell): readonly string[] => {
  if (typeof cell !== 'string') return graphemes(foldedText(cell));
  return cell === '\t' ? [' ', ' ', ' ', ' '] : [cell];
};

/**
 * A row is broken where the next letter does not fit. The rows are broken here and not by the terminal, so that their number is
 * known after a resize.
 */
export function layout(prompt: string, { cells, cursor }: Draft, columns: number): Layout {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  let at = { row: 0, column: 0 };
  const end = () => {
    rows.push(row);
    row = '';
    used = 0;
  };
  const put = (letter: string) => {
    const wide = widthOf(letter);
    if (used + wide > columns) end();
    row += letter;
    used += wide;
  };
  const mark = () => {
    // After a letter in the last column the cursor stands at the start of the next row.
    if (used >= columns) end();
    at = { row: rows.length, column: used };
  };
  for (const letter of graphemes(prompt)) put(letter);
  cells.forEach((cell, i) => {
    if (i === cursor && cell !== '\n') mark();
    else if (i === cursor) at = { row: rows.length, column: Math.min(used, columns - 1) };
    if (cell === '\n') {
      end();
      for (const letter of continuation) put(letter);
    } else for (const letter of shownLetters(cell)) put(letter);
  });
  if (cursor === cells.length) mark();
  end();
  return { rows, cursor: at };
}

/** Cuts a layout to `most` rows around the cursor, because rows that have scrolled off the screen could not be erased. */
export function windowed({ rows, cursor }: Layout, most: number): Layout {
  if (rows.length <= most) return { rows, cursor };
  const first = Math.min(Math.max(0, cursor.row - Math.floor(most / 2)), rows.length - most);
  return { rows: rows.slice(first, first + most), cursor: { row: cursor.row - first, column: cursor.column } };
}
