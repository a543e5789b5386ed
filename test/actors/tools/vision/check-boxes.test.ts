import { expect, test } from 'vitest';
import { checkBoxesIn } from '../../../../actors/tools/vision/check-boxes.ts';
import type { Grey } from '../../../../actors/tools/vision/input-frames.ts';

/** Each letter is a grey: a space is the page, `e` an edge, `w` white, `d` dark, `t` light. */
const greys: Readonly<Record<string, number>> = { ' ': 250, e: 118, w: 255, d: 97, t: 230 };
/** A page with drawings one below the other. */
function page(...drawings: readonly (readonly string[])[]): Grey {
  const rows = drawings.flatMap((rows) => ['', ...rows, '']);
  const [width, height] = [40, rows.length];
  const pixels = new Uint8Array(width * height);
  for (const [y, row] of rows.entries()) for (let x = 0; x < width; x++) pixels[y * width + x] = greys[row[x - 4] ?? ' ']!;
  return { width, height, pixels };
}
const square = (side: number, at: (x: number, y: number) => string): string[] =>
  Array.from({ length: side }, (_, y) => Array.from({ length: side }, (_, x) => at(x, y)).join(''));
const isEdge = (side: number, x: number, y: number) => [x, y].some((at) => at === 0 || at === side - 1);
const empty = (side: number) => square(side, (x, y) => (isEdge(side, x, y) ? 'e' : 'w'));
/** Filled, with a light mark. */
const marked = (side: number) => square(side, (x, y) => (x === y && x > 2 && x < side - 3 ? 't' : 'd'));
const statesOf = (grey: Grey) => checkBoxesIn(grey).map(({ checked }) => checked);

test('an edge around one grey is an unchecked box, one around a mark a checked box, in the sizes of a screen', () => {
  const boxes = [13, 22, 26].flatMap((side) => [empty(side), marked(side)]);
  expect(statesOf(page(...boxes))).toEqual([false, true, false, true, false, true]);
  expect(checkBoxesIn(page(empty(13)))).toEqual([{ box: { x: 4, y: 1, width: 13, height: 13 }, checked: false }]);
});

test('round corners are no matter; a missing side and a line that goes on are', () => {
  const round = square(13, (x, y) => {
    const isCorner = [x, y].every((at) => at < 2 || at > 10);
    return isCorner ? ' ' : isEdge(13, x, y) ? 'e' : 'w';
  });
  expect(statesOf(page(round))).toEqual([false]);
  const open = empty(13).map((row) => `${row.slice(0, -1)}w`);
  const letter = empty(13).map((row, y) => (y === 6 ? `${row}eeee` : row));
  expect(statesOf(page(open, letter))).toEqual([]);
});

test('a bullet, a button and a large square are no check boxes', () => {
  const bullet = square(12, () => 'd');
  const button = empty(13).map((row) => row[0]! + row[1]!.repeat(22) + row[0]!);
  expect(statesOf(page(bullet, button, empty(35), empty(7)))).toEqual([]);
});

test('a box in another box is found once, and a page of nothing but edges is looked at in bounds', () => {
  const nested = square(26, (x, y) =>
    isEdge(26, x, y) || (x > 5 && x < 19 && y > 5 && y < 19 && isEdge(13, x - 6, y - 6)) ? 'e' : 'w',
  );
  expect(checkBoxesIn(page(nested))).toHaveLength(1);
  const pixels = new Uint8Array(2_000 * 2_000).map((_, i) => (Math.floor(i / 2_000) % 2 && i % 30 < 20 ? 255 : 0));
  expect(checkBoxesIn({ width: 2_000, height: 2_000, pixels })).toEqual([]);
});
