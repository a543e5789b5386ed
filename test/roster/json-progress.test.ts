import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonProgress } from '../../roster/json-progress.ts';

const text = fc.oneof(fc.object(), fc.array(fc.jsonValue()), fc.string()).map((value) => JSON.stringify(value));
const progressOf = (pieces: readonly string[]): JsonProgress => {
  const progress = new JsonProgress();
  for (const piece of pieces) progress.push(piece);
  return progress;
};

test('a JSON text is closed at its end and not before, wherever it is split', () => {
  fc.assert(
    fc.property(text, fc.nat(), (json, cut) => {
      const at = cut % json.length;
      expect(progressOf([json.slice(0, at), json.slice(at)]).isClosed).toBe(true);
      expect(progressOf([' ', json, '\n']).isClosed).toBe(true);
      expect(progressOf([json.slice(0, at)]).isClosed).toBe(false);
      expect(progressOf([json, json]).isClosed).toBe(false);
    }),
  );
});

test.each([
  ['{"a":', true],
  ['{"a":"x', true],
  ['{"a":"\\"', true],
  ['[1,', true],
  ['[1', false],
  ['{"a":"x"', false],
  ['{}', false],
])('in %s an object or the text of a string can go on: %s', (json, can) => {
  expect(progressOf([json]).takesValue).toBe(can);
});
