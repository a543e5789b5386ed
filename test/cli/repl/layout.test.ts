import fc from 'fast-check';
import { expect, it } from 'vitest';
import { widthOf } from '../../../cli/render/width.ts';
import { cellsOf } from '../../../cli/repl/editor.ts';
import { continuation, layout, windowed } from '../../../cli/repl/layout.ts';
import { Painter } from '../../../cli/repl/painter.ts';
import { ScreenModel } from '../../e2e/support/screen-model.ts';

const draft = (text: string, cursor = cellsOf(text).length) => ({ cells: cellsOf(text), cursor });

it('a row ends where the next letter does not fit, and a wide letter is not torn', () => {
  expect(layout('cox> ', draft('日本語日本語日本語'), 12)).toEqual({
    rows: ['cox> 日本語', '日本語日本語', ''],
    cursor: { row: 2, column: 0 },
  });
  expect(layout('> ', draft('a👩‍👩‍👧b', 1), 20).cursor).toEqual({ row: 0, column: 3 });
});

it('a further line begins with a mark, and a folded text says its size', () => {
  expect(layout('> ', draft('a\n  b', 2), 20)).toEqual({ rows: ['> a', `${continuation}  b`], cursor: { row: 1, column: 5 } });
  expect(layout('> ', draft('x\n'.repeat(700)), 40).rows).toEqual(['> [701 lines, 1.4k characters]']);
});

it('a layout higher than the screen shows the rows around the cursor', () => {
  const rows = Array.from({ length: 10 }, (_, i) => String(i));
  expect(windowed({ rows, cursor: { row: 9, column: 1 } }, 3)).toEqual({ rows: ['7', '8', '9'], cursor: { row: 2, column: 1 } });
  expect(windowed({ rows, cursor: { row: 0, column: 1 } }, 3)).toEqual({ rows: ['0', '1', '2'], cursor: { row: 0, column: 1 } });
});

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\t', '日', '⚠️', '👩‍👩‍👧'), maxLength: 80 });

it('every row fits, and the cursor stands on the screen', () => {
  fc.assert(
    fc.property(text, fc.nat(80), fc.integer({ min: 8, max: 60 }), (typed, at, columns) => {
      const cells = cellsOf(typed);
      const { rows, cursor } = layout('cox> ', { cells, cursor: Math.min(at, cells.length) }, columns);
      for (const row of rows) expect(widthOf(row)).toBeLessThanOrEqual(columns);
      expect(cursor.column).toBeLessThan(columns);
      expect(cursor.row).toBeLessThan(rows.length);
    }),
  );
});

it('what was drawn is erased, and no more, also after a resize', () => {
  // Line breaks are rare, so that most rows are longer than the narrower screen.
  const long = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz', '\n'), minLength: 20, maxLength: 120 });
  const size = fc.integer({ min: 20, max: 60 });
  fc.assert(
    fc.property(long, fc.nat(120), size, size, (typed, at, before, after) => {
      const screen = new ScreenModel(before, 60);
      screen.write('printed\r\n');
      const painter = new Painter();
      const cells = cellsOf(typed);
      screen.write(painter.drawn(layout('cox> ', { cells, cursor: Math.min(at, cells.length) }, before)));
      screen.resize(after);
      screen.write(painter.erased(after));
      expect(screen.lines).toEqual(['printed', '']);
    }),
  );
});
