import { expect, test } from 'vitest';
import { fieldsOf } from '../../../../actors/tools/vision/form-fields.ts';
import { framesIn, type Grey } from '../../../../actors/tools/vision/input-frames.ts';
import type { Box, Form, Word } from '../../../../actors/tools/vision/reading.ts';

/** A line of words, 8 pixels for each letter. */
function line(x: number, y: number, text: string): Word[] {
  let at = x;
  return text.split(' ').map((word) => {
    const box = { text: word, x: at, y, width: word.length * 8, height: 14 };
    at += box.width + 6;
    return box;
  });
}
const frame = (x: number, y: number, width = 200, height = 30): Box => ({ x, y, width, height });
const pairs = (lines: readonly Word[][], frames: readonly Box[], checkBoxes: Form['checkBoxes'] = []) =>
  fieldsOf({ lines, frames, checkBoxes }).map(({ label, value }) => [label, value]);

test('a label stands left of its field, above it, or right of it', () => {
  const lines = [
    [...line(10, 108, 'Full name *'), ...line(130, 108, 'Ada Lovelace')],
    line(20, 180, 'Your message'),
    line(28, 208, 'Hello'),
    line(240, 308, 'Accept'),
  ];
  expect(pairs(lines, [frame(120, 100), frame(20, 200), frame(20, 300)])).toEqual([
    ['Full name', 'Ada Lovelace'],
    ['Your message', 'Hello'],
    ['Accept', ''],
  ]);
});

test('the label of a check box stands right of it, else left, and no field takes it', () => {
  const box = (x: number, y: number, checked: boolean) => ({ box: frame(x, y, 13, 13), checked });
  const lines = [
    [...line(30, 100, 'Gift wrapping'), ...line(220, 100, 'Express delivery')],
    line(10, 150, 'I agree'),
    line(30, 180, 'Newsletter'),
  ];
  const boxes = [box(10, 100, false), box(200, 100, true), box(75, 150, true), box(10, 180, false), box(400, 300, true)];
  expect(pairs(lines, [frame(20, 200)], boxes)).toEqual([
    ['Gift wrapping', 'unchecked'],
    ['Express delivery', 'checked'],
    ['I agree', 'checked'],
    ['Newsletter', 'unchecked'],
    ['', ''],
    ['', 'checked'],
  ]);
});

test('two fields on one line have the label that is nearest to each', () => {
  const lines = [[...line(10, 8, 'From'), ...line(62, 8, 'Monday'), ...line(300, 8, 'To'), ...line(334, 8, 'Friday')]];
  expect(pairs(lines, [frame(56, 0, 180), frame(326, 0, 180)])).toEqual([
    ['From', 'Monday'],
    ['To', 'Friday'],
  ]);
});

test('without a frame, a label with a colon has the text after it; a heading is no field', () => {
  const lines = [
    line(10, 0, 'Order details'),
    [...line(10, 40, 'Order number:'), ...line(200, 40, '20931')],
    line(10, 80, 'Note:'),
  ];
  expect(pairs(lines, [])).toEqual([['Order number', '20931']]);
});

test('what the OCR makes of a frame and of a handle is no part of the value', () => {
  const lines = [[...line(124, 108, '| Berlin |'), { text: 'v', x: 305, y: 108, width: 8, height: 10 }]];
  expect(pairs(lines, [frame(120, 100)])).toEqual([['', 'Berlin']]);
});

function drawing(
  width: number,
  height: number,
  boxes: readonly (Box & { readonly fill: number; readonly edge: number })[],
): Grey {
  const pixels = new Uint8Array(width * height).fill(250);
  for (const { x, y, width: w, height: h, fill, edge } of boxes)
    for (let row = y; row < y + h; row++)
      for (let column = x; column < x + w; column++) {
        const isEdge = row === y || row === y + h - 1 || column === x || column === x + w - 1;
        pixels[row * width + column] = isEdge ? edge : fill;
      }
  return { width, height, pixels };
}
const field = { fill: 255, edge: 120 };

test('frames of fields are found, one below the other too; buttons and rules are not', () => {
  const grey = drawing(600, 300, [
    { ...frame(100, 20), ...field },
    { ...frame(100, 60), ...field },
    { ...frame(100, 120, 300, 90), ...field },
    { ...frame(100, 230), fill: 90, edge: 90 },
    { ...frame(0, 290, 600, 1), ...field },
  ]);
  const found = framesIn(grey);
  expect(found).toHaveLength(3);
  for (const [i, box] of [frame(100, 20), frame(100, 60), frame(100, 120, 300, 90)].entries())
    for (const key of ['x', 'y', 'width', 'height'] as const) expect(Math.abs(found[i]![key] - box[key])).toBeLessThanOrEqual(2);
});

test('a picture of stripes has no fields, and is looked at in bounds', () => {
  const pixels = new Uint8Array(1_000 * 1_000);
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.floor(i / 1_000) % 2 ? 255 : 0;
  expect(framesIn({ width: 1_000, height: 1_000, pixels })).toEqual([]);
});
