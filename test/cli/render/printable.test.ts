import { expect, it } from 'vitest';
import { oneLine, printable } from '../../../cli/render/printable.ts';

const esc = '\u001b';

it('a printable text has no sequence that moves the cursor, sets a title or rewrites a line', () => {
  const nasty = `a${esc}[2Jb${esc}]0;title\u0007c\rd${esc}[1;1He\u009b2Jf\u0008g\u202eh${esc}[31mi`;
  expect(printable(nasty)).toBe('abcde2Jfghi');
});

it('a printable text keeps newlines, tabs and letters of every script', () => {
  expect(printable('á\tß\r\n日本 👋')).toBe('á\tß\n日本 👋');
});

it('a printable text keeps our colours on request, and no other sequence', () => {
  expect(printable(`${esc}[31mred${esc}[39m ${esc}[5mblink${esc}[0m${esc}[3J`, 'keep colours')).toBe(
    `${esc}[31mred${esc}[39m blink`,
  );
  expect(printable(`${esc}${esc}[31mx${esc}`, 'keep colours')).toBe(`${esc}[31mx`);
});

it('a text is shortened to one line', () => {
  expect(oneLine('  a\n b\t c ', 10)).toBe('a b c');
  expect(oneLine('abcdefghij', 5)).toBe('abcd…');
});
