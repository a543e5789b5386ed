import { expect, test } from 'vitest';
import { estimateTokens, unitsWithin } from '../../roster/tokens.ts';

test.each([
  ['word '.repeat(100), 125],
  ['漢字'.repeat(100), 200],
  ['한글'.repeat(100), 200],
  ['🧭'.repeat(100), 200],
  ['Привет'.repeat(100), 300],
])('%j… is estimated with %i tokens', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
  // As much of a text as fits is never more than that.
  for (const most of [0, 1, 7, Math.floor(tokens / 2), tokens]) {
    const units = unitsWithin(text, most);
    expect(estimateTokens(text.slice(0, units))).toBeLessThanOrEqual(most);
    if (units < text.length) expect(estimateTokens(text.slice(0, units + 1))).toBeGreaterThan(most);
  }
  expect(unitsWithin(text, tokens)).toBe(text.length);
});
