import { expect, it } from 'vitest';
import { Flow } from '../../../cli/repl/flow.ts';

const flowing = (columns: number) => {
  const lines: string[] = [];
  return {
    lines,
    flow: new Flow(
      () => columns,
      (line) => lines.push(line),
    ),
  };
};

it('lines are passed on as they are complete, and the rest at the end', () => {
  const { lines, flow } = flowing(Number.POSITIVE_INFINITY);
  for (const piece of ['Hel', 'lo\nwo', 'rld', '\n\nlast']) flow.push(piece);
  expect(lines).toEqual(['Hello', 'world', '']);
  expect(flow.end()).toBe(true);
  expect(lines).toEqual(['Hello', 'world', '', 'last']);
});

it('a long line is broken at a blank before it is complete', () => {
  const { lines, flow } = flowing(20);
  flow.push('one two three four five six');
  expect(lines).toEqual(['one two three four']);
  flow.push(` ${'x'.repeat(45)}`);
  flow.end();
  expect(lines).toEqual(['one two three four', 'five six', 'x'.repeat(20), 'x'.repeat(20), 'xxxxx']);
});

it('the end of a flow says whether there was any text', () => {
  const { flow } = flowing(20);
  expect(flow.end()).toBe(false);
  flow.push('x');
  expect(flow.end()).toBe(true);
  expect(flow.end()).toBe(false);
});

it('a line is as wide as its letters on a terminal', () => {
  const { lines, flow } = flowing(20);
  flow.push('日本語日本語日本語日本語 👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧 x');
  flow.end();
  expect(lines).toEqual([
    '日本語日本語日本語日',
    '本語',
    '👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧',
    '👩‍👩‍👧 x',
  ]);
});
