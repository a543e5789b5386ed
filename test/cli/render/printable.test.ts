import { expect, it, test } from 'vitest';
import { message, oneLine, printable } from '../../../cli/render/printable.ts';
import { visibleJson } from '../../../platform/hidden-characters.ts';

const esc = '\u001b';

it('a printable text has no sequence that moves the cursor, sets a title or rewrites a line', () => {
  const nasty = `a${esc}[2Jb${esc}]0;title\u0007c\rd${esc}[1;1He\u009b2Jf\u0008g\u202eh${esc}[31mi`;
  expect(printable(nasty)).toBe('abcde2Jfghi');
});

it('a printable text keeps newlines, tabs and letters of every script', () => {
  expect(printable('á\tß\r\n日本 👋')).toBe('á\tß\n日本 👋');
  for (const text of ['👩🏽‍⚕️ ❤️', '👨‍👩‍👧', 'می‌خواهم', 'क्‍ष']) expect(printable(text)).toBe(text);
});

it('a printable text keeps our colours on request, and no other sequence', () => {
  expect(printable(`${esc}[31mred${esc}[39m ${esc}[5mblink${esc}[0m${esc}[3J`, 'keep colours')).toBe(
    `${esc}[31mred${esc}[39m blink`,
  );
  expect(printable(`${esc}${esc}[31mx${esc}`, 'keep colours')).toBe(`${esc}[31mx`);
});

it('what is left beside a removed sequence is no sequence', () => {
  const nested = `${esc}${esc}[5m[8mx ${esc}\u200b[2Jy ${esc}[${esc}[5m31mz`;
  for (const mode of [undefined, 'keep colours'] as const) expect(printable(nested, mode)).not.toContain(esc);
});

it('a sequence that does not end hides nothing of what follows', () => {
  expect(printable(`a${esc}]0;title b\nc${esc}`)).toBe('a]0;title b\nc');
});

const hidden: Record<string, number[]> = {
  'C0 and DEL': [0, 1, 7, 8, 0x0b, 0x0c, 0x0d, 0x1b, 0x1f, 0x7f],
  C1: [0x80, 0x85, 0x90, 0x9b, 0x9d, 0x9f],
  bidi: [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
  'no width': [0x00ad, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0x206f, 0x3164, 0xfeff, 0xfff9],
  tags: [0xe0001, 0xe0041, 0xe007f, 0xe0100],
  'half a character': [0xd800, 0xdc00],
};
test.each(Object.entries(hidden))('%s: nothing is printed of it, and JSON has it as an escape', (_, points) => {
  for (const point of points) {
    const text = `a${String.fromCodePoint(point)}b`;
    expect(printable(text), point.toString(16)).toBe('ab');
    expect(printable(text, 'keep colours')).toBe('ab');
    const json = visibleJson({ [text]: text });
    expect(json, point.toString(16)).toMatch(/^[ -~]+$/);
    expect(JSON.parse(json)).toEqual({ [text]: text });
  }
});

it('separators of lines and paragraphs begin no line', () => {
  expect(printable('a\u2028b\u2029c')).toBe('a b c');
  expect(visibleJson('a\u2028b')).toBe('"a\\u2028b"');
});

// With a pattern that tries every start against the rest of the text, each of these takes hours.
test.each([`${esc}]`, `${esc}[`, `${esc}[0`, '\u200d', '👩\u200d', 'é\u200c', `${esc}]x${esc}`, '\u001b\u202e'])(
  '300,000 characters of %j are read in linear time',
  (part) => {
    const text = part.repeat(Math.ceil(300_000 / part.length));
    expect(printable(text, 'keep colours')).toBe(printable(text));
    expect(JSON.parse(visibleJson(text))).toBe(text);
  },
);

it('a text is shortened to one line', () => {
  expect(oneLine('  a\n b\t c ', 10)).toBe('a b c');
  expect(oneLine('abcdefghij', 5)).toBe('abcd…');
});

it('the further lines of a message are indented', () => {
  expect(message(`${esc}[31mcox:${esc}[39m no\ncox: yes`)).toBe(`${esc}[31mcox:${esc}[39m no\n  cox: yes`);
});
