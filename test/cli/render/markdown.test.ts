import { expect, test } from 'vitest';
import { MarkdownFlow } from '../../../cli/render/markdown.ts';
import { type Paint, plain } from '../../../cli/render/paint.ts';

const tag = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
const tags: Paint = {
  bold: tag('b'),
  dim: tag('dim'),
  red: tag('r'),
  green: tag('g'),
  yellow: tag('y'),
  blue: tag('u'),
  cyan: tag('c'),
};

function rendered(pieces: readonly string[], { columns = 80, paint = tags } = {}): string[] {
  const lines: string[] = [];
  const flow = new MarkdownFlow({ columns: () => columns, say: (line) => lines.push(line), paint });
  for (const piece of pieces) flow.push(piece);
  flow.end();
  return lines;
}

test('bold, code, headings and bullets lose their marks and get their style', () => {
  expect(rendered(['# A title\n\n- a **bold** word\n* and `a * b`\n12. last'])).toEqual([
    '<b>A title</b>',
    '',
    '• a <b>bold</b> word',
    '• and <c>a * b</c>',
    '12. last',
  ]);
});

test('a text in pieces of any size is rendered as the whole text', () => {
  const text =
    '## Head\nSome **bold words that** go on and `code` and so on for a while, until the row ends.\n```ts\nif (a ** b) {}\n```\nend';
  const whole = rendered([text], { columns: 30 });
  for (const size of [1, 2, 3, 7]) {
    const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))!;
    expect(rendered(pieces, { columns: 30 }), `pieces of ${size}`).toEqual(whole);
  }
});

test('a row is printed as soon as it is full, and a style goes on in the next row', () => {
  const lines: string[] = [];
  const flow = new MarkdownFlow({ columns: () => 20, say: (line) => lines.push(line), paint: tags });
  flow.push('**one two three four five');
  expect(lines).toEqual(['<b>one two three four</b>']);
  flow.push(' six** seven\n');
  expect(lines.slice(1)).toEqual(['<b>five six</b> seven']);
});

test('further rows of a list item begin below its words', () => {
  expect(rendered(['1. one two three four five six'], { columns: 20 })).toEqual(['1. one two three', '   four five six']);
});

test('code between fences keeps its marks and its blanks', () => {
  expect(rendered(['```\n# no **title**\n  - x\n```\n# T'])).toEqual(['<c># no **title**</c>', '<c>  - x</c>', '<b>T</b>']);
});

test('an opened mark ends with its line, and a sign between blanks is no mark', () => {
  expect(rendered(['2 ** 3 is 8\n**never closed\nnext'])).toEqual(['2 ** 3 is 8', '<b>never closed</b>', 'next']);
});

test('without colours the marks stay, and control characters are removed everywhere', () => {
  expect(rendered(['# A **b** \u001b[2Jc'], { paint: plain })).toEqual(['# A **b** c']);
  expect(rendered(['**a\u001b]0;x\u0007b**'])).toEqual(['<b>ab</b>']);
});

test('a word longer than the row is cut, and no character in two', () => {
  const lines = rendered([`${'x'.repeat(19)}😀${'y'.repeat(5)}`], { columns: 20 });
  expect(lines).toEqual(['x'.repeat(19), '😀yyyyy']);
});
