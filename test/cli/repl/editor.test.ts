import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphemes } from '../../../cli/render/width.ts';
import {
  type Edit,
  type Editor,
  edited,
  emptyEditor,
  insert,
  movedRow,
  paste,
  replaced,
  textOf,
} from '../../../cli/repl/editor.ts';

const typed = (text: string, from: Editor = emptyEditor): Editor => Array.from(text).reduce(insert, from);
/** The text with a bar at the cursor. */
const shown = ({ cells, cursor }: Editor): string => `${textOf(cells.slice(0, cursor))}|${textOf(cells.slice(cursor))}`;
const pressed = (editor: Editor, ...edits: Edit[]): string => shown(edits.reduce(edited, editor));

describe('an editor', () => {
  it('moves and deletes by letters as a person sees them', () => {
    expect(pressed(typed('a👩‍👩‍👧e\u0301'), 'left')).toBe('a👩‍👩‍👧|e\u0301');
    expect(pressed(typed('a👩‍👩‍👧e\u0301'), 'left', 'delete-back')).toBe('a|e\u0301');
    expect(pressed(typed('日本⚠️'), 'delete-back')).toBe('日本|');
  });

  it('lets a combining character join the letter before it, even in the middle of a text', () => {
    const editor = insert(edited(typed('ex'), 'left'), '\u0301');
    expect(editor.cells).toEqual(['e\u0301', 'x']);
    expect(shown(editor)).toBe('e\u0301|x');
  });

  it('moves and kills by words and rows, and yanks what was killed last', () => {
    const editor = typed('one two-three\nfour');
    expect(pressed(editor, 'row-start', 'left', 'word-left')).toBe('one two-|three\nfour');
    expect(pressed(editor, 'word-left', 'word-left', 'kill-word-back')).toBe('one |three\nfour');
    expect(pressed(editor, 'kill-to-start', 'delete-back', 'yank')).toBe('one two-threefour|');
    expect(pressed(edited(editor, 'row-start'), 'kill-to-end', 'yank', 'yank')).toBe('one two-three\nfourfour|');
  });

  it('goes from row to row at the same column, and says where there is no other', () => {
    const editor = typed('long row\nx\nlonger row');
    const above = movedRow(editor, -1)!;
    expect(shown(above)).toBe('long row\nx|\nlonger row');
    expect(shown(movedRow(above, -1)!)).toBe('l|ong row\nx\nlonger row');
    expect(movedRow(typed('x'), -1)).toBeNull();
    expect(movedRow(editor, 1)).toBeNull();
    expect(shown(movedRow(edited(above, 'row-start'), 1)!)).toBe('long row\nx\n|longer row');
  });

  it('folds a long paste into one cell that Backspace removes, and keeps its whole text', () => {
    const text = Array.from({ length: 30 }, (_, i) => `  line ${i}`).join('\n');
    const editor = paste(typed('see: '), text);
    expect(editor.cells).toHaveLength(6);
    expect(textOf(editor.cells)).toBe(`see: ${text}`);
    expect(pressed(editor, 'delete-back')).toBe('see: |');
    expect(pressed(editor, 'delete-back', 'undo')).toBe(`see: ${text}|`);
  });

  it('keeps a short paste as letters, with its line breaks', () => {
    expect(paste(emptyEditor, 'a\n  b').cells).toEqual(['a', '\n', ' ', ' ', 'b']);
  });
});

const letters = fc.constantFrom('a', ' ', '\n', 'é', 'e', '\u0301', '日', '👩', '\u200d', '🇩', '🇪', '⚠', '\ufe0f', '-');
const edits = fc.constantFrom<Edit>(
  'left',
  'right',
  'word-left',
  'word-right',
  'row-start',
  'row-end',
  'delete-back',
  'delete-forward',
  'kill-word-back',
  'kill-word-forward',
  'kill-to-start',
  'kill-to-end',
  'yank',
  'undo',
);
const keys = fc.array(fc.oneof(letters, fc.record({ edit: edits })), { maxLength: 60 });
const play = (from: Editor, strokes: readonly (string | { edit: Edit })[]): Editor =>
  strokes.reduce<Editor>((editor, key) => (typeof key === 'string' ? insert(editor, key) : edited(editor, key.edit)), from);

describe('any sequence of keys', () => {
  it('leaves cells that are the letters of their text, and the cursor between two of them', () => {
    fc.assert(
      fc.property(keys, (strokes) => {
        const editor = play(emptyEditor, strokes);
        expect(editor.cells).toEqual(graphemes(textOf(editor.cells)));
        expect(editor.cursor).toBeGreaterThanOrEqual(0);
        expect(editor.cursor).toBeLessThanOrEqual(editor.cells.length);
      }),
    );
  });

  it('is undone step by step back to the text before it', () => {
    fc.assert(
      fc.property(keys, (strokes) => {
        const start = { ...replaced(emptyEditor, 'one two'), past: [] };
        let editor = play(start, strokes);
        while (editor.past.length > 0) editor = edited(editor, 'undo');
        expect(textOf(editor.cells)).toBe('one two');
      }),
    );
  });

  it('puts text in at the cursor and nowhere else', () => {
    fc.assert(
      fc.property(keys, fc.string({ unit: letters, maxLength: 10 }), (strokes, text) => {
        const before = play(emptyEditor, strokes);
        const at = textOf(before.cells.slice(0, before.cursor));
        expect(textOf(insert(before, text).cells)).toBe(at + text + textOf(before.cells.slice(before.cursor)));
      }),
    );
  });
});
