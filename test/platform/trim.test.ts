import { expect, test } from 'vitest';
import { withoutTail } from '../../platform/trim.ts';

test.each([
  ['a.txt.,', '.,', 'a.txt'],
  ['...', '.', ''],
  ['', '.', ''],
  ['a\n\n', '\n', 'a'],
  ['.a', '.', '.a'],
])('%j without %j at its end is %j', (text, tail, rest) => {
  expect(withoutTail(text, tail)).toBe(rest);
});
