import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clipped } from '../../actors/host/clipped.ts';
import { oneLine as describedIn } from '../../actors/primary/task-descriptions.ts';
import { compact } from '../../actors/sub-agent/compaction.ts';
import { quoted } from '../../bus/parse-message.ts';
import { oneLine } from '../../cli/render/printable.ts';
import { verbs } from '../../cli/verbs.ts';
import type { Message } from '../../machines/conversation.ts';
import { beginningOf, endingOf, fitted } from '../../platform/cut.ts';
import { wireError } from '../../roster/wire-error.ts';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

const character = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.constantFrom('👩‍👩‍👧‍👦', 'e\u0301', '\r\n', '\n', 'x'),
);
const text = fc.array(character, { maxLength: 400 }).map((all) => all.join(''));

test('a text is cut at the last whole character that fits', () => {
  fc.assert(
    fc.property(text, fc.nat(600), (whole, maxChars) => {
      const kept = [...segmenter.segment(whole)].filter(({ index, segment }) => index + segment.length <= maxChars);
      expect(beginningOf(whole, maxChars)).toBe(kept.map(({ segment }) => segment).join(''));
    }),
  );
});

test('the end of a text begins with a whole character, and nothing that fits is left out', () => {
  fc.assert(
    fc.property(text, fc.nat(600), (whole, maxChars) => {
      const kept = [...segmenter.segment(whole)].filter(({ index }) => whole.length - index <= maxChars);
      expect(endingOf(whole, maxChars)).toBe(kept.map(({ segment }) => segment).join(''));
    }),
  );
});

test('a fitted text has at most its length, and says exactly how much is missing', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 600 }), (whole, maxChars) => {
      const short = fitted(whole, maxChars);
      expect(short.length).toBeLessThanOrEqual(maxChars);
      expect(short.isWellFormed()).toBe(true);
      if (whole.length <= maxChars) return void expect(short).toBe(whole);
      const [, kept, left] = /^([\s\S]*) … \(([\d,]+) more characters\)$/.exec(short) ?? [];
      if (kept === undefined) return void expect(short.endsWith('…') && maxChars < 40).toBe(true);
      expect(kept.length + Number(left!.replaceAll(',', ''))).toBe(whole.length);
    }),
  );
});

/** Everything that shortens a text for a model, a screen, a message or a record. */
const cutters: Readonly<Record<string, (whole: string) => string>> = {
  'a line on the screen': (whole) => oneLine(whole, 40),
  'a task as the primary describes it': (whole) => describedIn(whole, 40),
  'an input that an error repeats': (whole) => quoted(whole),
  'a finding': (whole) => clipped(whole, 300),
  'an older tool result': (whole) =>
    compact(
      ['x', 'x', 'x', 'x', whole].reverse().map((words): Message => ({ role: 'tool', call: 'c', text: words })),
      700,
    ).messages[0]!.text,
  'a reason of a cancel': (whole) => (verbs.cancel.message([whole]) as { reason: string }).reason,
  'an error of a server': (whole) =>
    wireError(new SyntaxError(whole), { backend: 'b', isEmbedded: false, baseUrl: '', key: null }).message,
};
test.each(Object.entries(cutters))('%s is not cut inside a character', (_, cut) => {
  for (const emoji of ['😀', '👩‍👩‍👧‍👦', 'e\u0301'])
    for (let before = 0; before < 12; before++) {
      const short = cut(`${'x'.repeat(before)}${emoji.repeat(1_200)}`);
      expect(short.isWellFormed()).toBe(true);
      const rest = short.slice(short.indexOf(emoji)).replaceAll(emoji, '');
      expect(rest).not.toMatch(/^(?:[\u200D\u0301👩👧👦]|e)/u);
      expect(rest).toMatch(/…/);
    }
});

test('a character that is longer than any text should have is cut between two code points', () => {
  const zalgo = `a${'\u0301'.repeat(1_000)}`;
  expect(beginningOf(zalgo, 700)).toHaveLength(700);
  expect(beginningOf(`👩${'\u200D👩'.repeat(400)}`, 700).isWellFormed()).toBe(true);
});
