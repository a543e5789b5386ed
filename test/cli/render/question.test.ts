import { describe, expect, it, test } from 'vitest';
import { diffBrushes } from '../../../cli/render/diff.ts';
import { fitting } from '../../../cli/render/fit.ts';
import { paintFor, plain } from '../../../cli/render/paint.ts';
import { questionLines } from '../../../cli/render/question.ts';

const marks = Object.fromEntries(
  Object.keys(plain).map((name) => [name, (text: string) => `${name} ${text}`]),
) as unknown as typeof plain;

test('a diff has its names, heads of hunks and changed lines in colours, and nothing else', () => {
  const lines = [
    'changes a',
    '--- a',
    '+++ a',
    '@@ -1,3 +1,3 @@',
    ' x',
    '--- y',
    '+++ z',
    '',
    '\\ No newline',
    '+ not in a hunk',
  ];
  const painted = diffBrushes(lines, marks).map((brush, at) => brush(lines[at]!));
  expect(painted).toEqual([
    'changes a',
    'bold --- a',
    'bold +++ a',
    'cyan @@ -1,3 +1,3 @@',
    ' x',
    'red --- y',
    'green +++ z',
    '',
    '\\ No newline',
    '+ not in a hunk',
  ]);
});

describe('a text that is cut to a screen', () => {
  it('counts the rows that wide lines take', () => {
    expect(fitting(['a', 'b'.repeat(25), 'c'], { rows: 4, columns: 10 })).toEqual({ shown: ['a', 'b'.repeat(25)], hidden: 1 });
    expect(fitting(['漢'.repeat(5), 'c'], { rows: 1, columns: 10 })).toEqual({ shown: ['漢'.repeat(5)], hidden: 1 });
  });

  it('shows the beginning of a line that does not fit', () => {
    expect(fitting(['b'.repeat(100)], { rows: 2, columns: 10 })).toEqual({ shown: [`${'b'.repeat(19)}…`], hidden: 1 });
  });

  it('is whole where there is no screen', () => {
    const everywhere = { rows: Number.POSITIVE_INFINITY, columns: Number.POSITIVE_INFINITY };
    expect(fitting(['a', 'b'.repeat(500)], everywhere)).toEqual({ shown: ['a', 'b'.repeat(500)], hidden: 0 });
  });
});

test('a question never takes more rows than the screen, and says how to see the rest', () => {
  const text = ['May it run write_file?', ...Array.from({ length: 50 }, (_, n) => `+line ${n}`)].join('\n');
  const question = { id: 'q1', kind: 'approval' as const, text, choices: ['approve', 'deny'] };
  const place = { rows: 12, columns: 80, showWith: '/status k3xq.4' };
  const lines = questionLines('k3xq.4', question, paintFor({ isTTY: true }, {}, false), '/answer', place);
  expect(lines.length).toBeLessThan(12);
  expect(lines[0]).toBe('? k3xq.4 wants approval: May it run write_file? (approve / deny)');
  expect(lines.at(-3)).toBe('    … 44 more lines: /status k3xq.4');
  expect(questionLines('k3xq.4', question, plain, '/answer')).toHaveLength(53);
});
