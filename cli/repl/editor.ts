/**
 * The text that is being typed at the prompt, as a pure state: cells, a cursor between two of them, and what undo and yank need.
 * - A cell is one letter as a person counts them (a grapheme cluster), a line break, or a folded text, so that the cursor never
 *   stands inside a letter and one Backspace removes what looks like one thing.
 * - Nothing is lost by folding: `textOf` gives the whole text.
 */
import { withoutTail } from '../../platform/trim.ts';
import { graphemes } from '../render/width.ts';

/** A long text, pasted or recalled, that the prompt shows as one piece which says its size. */
export interface Folded {
  readonly folded: string;
}
export type Cell = string | Folded;

export interface Draft {
  readonly cells: readonly Cell[];
  /** Number of cells before the cursor. */
  readonly cursor: number;
}

export interface Editor extends Draft {
  /** The cells that were killed last, for yank. */
  readonly killed: readonly Cell[];
  /** Earlier drafts, oldest first, for undo. */
  readonly past: readonly Draft[];
}

export type Edit =
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'row-start'
  | 'row-end'
  | 'delete-back'
  | 'delete-forward'
  | 'kill-word-back'
  | 'kill-word-forward'
  | 'kill-to-start'
  | 'kill-to-end'
  | 'yank'
  | 'undo';

/** A text is folded if it has more lines or more characters than these. */
const mostLines = 8;
const mostChars = 1000;
const mostUndos = 200;

export const emptyEditor: Editor = { cells: [], cursor: 0, killed: [], past: [] };

const isBreak = (cell: Cell | undefined): boolean => cell === '\n';
const isLetter = (cell: Cell | undefined): cell is string => typeof cell === 'string' && !isBreak(cell);
const isWord = (cell: Cell | undefined): boolean =>
  cell !== undefined && (!isLetter(cell) ? !isBreak(cell) : /[\p{L}\p{N}\p{M}_]/u.test(cell));

const cellText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.folded);
export const textOf = (cells: readonly Cell[]): string => cells.map(cellText).join('');

/** The cells of a text; one folded cell for a long text. */
export function cellsOf(text: string): readonly Cell[] {
  if (text.length > mostChars || text.split('\n').length > mostLines) return [{ folded: text }];
  return graphemes(text);
}

/** Puts text at the cursor as if typed. A combining character joins the letter before it. */
export const insert = (editor: Editor, text: string): Editor => changed(editor, spliced(editor, graphemes(text)));

/** Puts a pasted text at the cursor; a long one is folded. Line breaks at its end are left out, because Enter is what sends. */
export const paste = (editor: Editor, text: string): Editor => changed(editor, spliced(editor, cellsOf(withoutTail(text, '\n'))));

/** Replaces the whole text, with the cursor at its end. */
export function replaced(editor: Editor, text: string): Editor {
  const cells = cellsOf(text);
  return changed(editor, { cells, cursor: cells.length });
}

/** Replaces the `count` cells before the cursor. */
export const replacedBack = (editor: Editor, count: number, text: string): Editor =>
  changed(editor, spliced(without(editor, editor.cursor - count, editor.cursor), graphemes(text)));

export function edited(editor: Editor, edit: Edit): Editor {
  if (edit === 'undo') return undone(editor);
  if (edit === 'yank') return changed(editor, spliced(editor, editor.killed));
  const { cursor } = editor;
  const to = target(editor, edit);
  if (edit.startsWith('delete') || edit.startsWith('kill'))
    return removed(editor, Math.min(cursor, to), Math.max(cursor, to), edit);
  return { ...editor, cursor: to };
}

/** Moves the cursor to the line above or below, as near to its column as possible. Null: there is no such line. */
export function movedRow(editor: Editor, by: -1 | 1): Editor | null {
  const { cells, cursor } = editor;
  const start = rowStart(cells, cursor);
  const column = cursor - start;
  const from = by < 0 ? rowStart(cells, start - 1) : rowEnd(cells, cursor) + 1;
  if (by < 0 ? start === 0 : from > cells.length) return null;
  return { ...editor, cursor: Math.min(from + column, rowEnd(cells, from)) };
}

function target({ cells, cursor }: Draft, edit: Exclude<Edit, 'yank' | 'undo'>): number {
  switch (edit) {
    case 'left':
    case 'delete-back':
      return Math.max(0, cursor - 1);
    case 'right':
    case 'delete-forward':
      return Math.min(cells.length, cursor + 1);
    case 'word-left':
    case 'kill-word-back':
      return wordStart(cells, cursor);
    case 'word-right':
    case 'kill-word-forward':
      return wordEnd(cells, cursor);
    case 'row-start':
    case 'kill-to-start':
      return rowStart(cells, cursor);
    case 'row-end':
    case 'kill-to-end':
      return rowEnd(cells, cursor);
  }
}

function removed(editor: Editor, from: number, to: number, edit: Edit): Editor {
  if (from === to) return editor;
  const kept = edit.startsWith('kill') ? { ...editor, killed: editor.cells.slice(from, to) } : editor;
  return changed(kept, without(editor, from, to));
}

function without({ cells }: Draft, from: number, to: number): Draft {
  return joined(cells.slice(0, from), cells.slice(to));
}

function spliced({ cells, cursor }: Draft, added: readonly Cell[]): Draft {
  const before = joined(cells.slice(0, cursor), added).cells;
  return joined(before, cells.slice(cursor));
}

/**
 * Two rows of cells as one, with the cursor between them. The letters on both sides of the seam are segmented again, because a
 * combining character after it belongs to the letter before it; then the cursor stands after that letter.
 */
function joined(before: readonly Cell[], after: readonly Cell[]): Draft {
  const from = before.findLastIndex((cell) => !isLetter(cell)) + 1;
  const firstOther = after.findIndex((cell) => !isLetter(cell));
  const to = firstOther < 0 ? after.length : firstOther;
  const left = textOf(before.slice(from));
  const letters = graphemes(left + textOf(after.slice(0, to)));
  let cursor = 0;
  for (let chars = 0; chars < left.length; cursor += 1) chars += letters[cursor]!.length;
  return { cells: [...before.slice(0, from), ...letters, ...after.slice(to)], cursor: from + cursor };
}

function changed(editor: Editor, { cells, cursor }: Draft): Editor {
  const past = [...editor.past, { cells: editor.cells, cursor: editor.cursor }].slice(-mostUndos);
  return { cells, cursor, killed: editor.killed, past };
}

function undone(editor: Editor): Editor {
  const before = editor.past.at(-1);
  return before ? { ...before, killed: editor.killed, past: editor.past.slice(0, -1) } : editor;
}

const rowStart = (cells: readonly Cell[], at: number): number =>
  at <= 0 ? 0 : cells.slice(0, at).findLastIndex((cell) => isBreak(cell)) + 1;

function rowEnd(cells: readonly Cell[], at: number): number {
  const end = cells.findIndex((cell, i) => i >= at && isBreak(cell));
  return end < 0 ? cells.length : end;
}

function wordStart(cells: readonly Cell[], at: number): number {
  let to = at;
  while (to > 0 && !isWord(cells[to - 1])) to -= 1;
  while (to > 0 && isWord(cells[to - 1])) to -= 1;
  return to;
}

function wordEnd(cells: readonly Cell[], at: number): number {
  let to = at;
  while (to < cells.length && !isWord(cells[to])) to += 1;
  while (to < cells.length && isWord(cells[to])) to += 1;
  return to;
}
