import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginningOf } from '../../platform/cut.ts';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

test('a text is cut at the last whole character that fits', () => {
  const character = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.constantFrom('👩‍👩‍👧‍👦', 'e\u0301', '\r\n', '\n', 'x'),
  );
  const text = fc.array(character, { maxLength: 400 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, fc.nat(600), (whole, maxChars) => {
      const kept = [...segmenter.segment(whole)].filter(({ index, segment }) => index + segment.length <= maxChars);
      expect(beginningOf(whole, maxChars)).toBe(kept.map(({ segment }) => segment).join(''));
    }),
  );
});

test('a character that is longer than any text should have is cut between two code points', () => {
  const zalgo = `a${'\u0301'.repeat(1_000)}`;
  expect(beginningOf(zalgo, 700)).toHaveLength(700);
  expect(beginningOf(`👩${'\u200D👩'.repeat(400)}`, 700).isWellFormed()).toBe(true);
});
