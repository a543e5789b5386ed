import { expect, it } from 'vitest';
import { clip } from '../../../cli/render/clip.ts';

it('a text is cut by its visible width', () => {
  expect(clip('abcdef', 4)).toBe('abcd');
  expect(clip('abc', 4)).toBe('abc');
  expect(clip('日本語', 5)).toBe('日本');
  expect(clip('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5)).toBe('👩‍👩‍👧👩‍👩‍👧');
  expect(clip('⚠️⚠️⚠️', 5)).toBe('⚠️⚠️');
  expect(clip('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301e\u0301');
});

it('a clipped text ends every colour that it begins', () => {
  expect(clip('\u001b[31mabcdef\u001b[39m!', 3)).toBe('\u001b[31mabc\u001b[39m');
});
