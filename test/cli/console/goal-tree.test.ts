/** The lines of the tree of a goal: depth, sums, groups, folds and search. */
import { describe, expect, test } from 'vitest';
import type { Status, TreeNode, Usage } from '../../../bus/messages.ts';
import { deep, type Line, linesOf, nameOf, type Row, type View, wide, withStatus } from '../../../cli/console/page/goal-tree.ts';
import { placeOf, spanOf, timeOf, vitalOf } from '../../../cli/console/page/lanes.ts';

const usage = (tokens: number, costUsd = 0, estimatedUsd?: number): Usage => ({
  ...{ inputTokens: tokens, outputTokens: 0, costUsd },
  ...(estimatedUsd !== undefined && { estimatedUsd }),
});
function row(id: string | null, parent: string | null, more: Partial<Row> = {}): Row {
  const node: TreeNode = {
    ...{ id, parent, key: id, type: 'files', instruction: `do ${id}`, backend: null, state: 'thinking' as const, outcome: null },
    ...{ steps: 1, usage: usage(10), question: null, ...more },
  };
  return { ...node, name: nameOf(node) };
}
const view = (more: Partial<View> = {}): View => ({ search: '', turned: new Set(), ...more });
const shown = (lines: readonly Line[]) =>
  lines.map((line) => `${'  '.repeat(line.depth)}${line.kind === 'group' ? `(${line.rows.length})` : line.row.id}`);
const sumsOf = (lines: readonly Line[], name: string) => lines.find((line) => line.name === name)!.sums;

test('children stand below their parents, each with what it and all below it have used', () => {
  const rows = [
    row('g.0', null, { key: null, usage: usage(1, 0.5) }),
    row('g.1', 'g.0', { usage: usage(10, 0.25, 0.25) }),
    row('g.1-1', 'g.1', { usage: usage(100, 0.125) }),
    row('g.2', 'g.0'),
  ];
  const lines = linesOf(rows, view());
  expect(shown(lines)).toEqual(['g.0', '  g.1', '    g.1-1', '  g.2']);
  expect(sumsOf(lines, 'g.0')).toEqual({ tasks: 4, usage: usage(121, 0.875, 0.25) });
  expect(sumsOf(lines, 'g.0/g.1')).toEqual({ tasks: 2, usage: usage(110, 0.375, 0.25) });
});

test('the usage of a goal includes that of its ended sub-tasks, which counts once', () => {
  const done = { state: 'done', outcome: 'completed' } as const;
  const rows = [
    row('g.0', null, { key: null, usage: usage(103, 1.5, 0.5) }),
    row('g.1', 'g.0', { ...done, usage: usage(100, 1, 0.5) }),
    row('g.2', 'g.0', { usage: usage(20) }),
  ];
  const lines = linesOf(rows, view());
  expect(lines[0]).toMatchObject({ own: usage(3, 0.5), sums: { tasks: 3, usage: usage(123, 1.5, 0.5) } });
  const cutOff = linesOf([row('g.0', null, { key: null, usage: usage(1) }), rows[1]!], view());
  expect(cutOff[0]).toMatchObject({ own: usage(0), sums: { usage: usage(100, 1, 0.5) } });
});

describe('a wide goal', () => {
  const many = (n: number, more: (i: number) => Partial<Row> = () => ({})) => [
    row('g.0', null, { key: null }),
    ...Array.from({ length: n }, (_, i) => row(`g.${i + 1}`, 'g.0', more(i))),
  ];

  test('shows siblings that look alike as one line, which opens', () => {
    expect(linesOf(many(wide), view())).toHaveLength(wide + 1);
    const lines = linesOf(many(wide + 1), view());
    expect(shown(lines)).toEqual(['g.0', `  (${wide + 1})`]);
    const opened = linesOf(many(wide + 1), view({ turned: new Set([lines[1]!.name]) }));
    expect(opened).toHaveLength(wide + 3);
    expect(shown(opened)[2]).toBe('    g.1');
  });

  test('counts every task in one place, and keeps those that ask out of the groups', () => {
    const asks = { id: 'q1', kind: 'asked', text: '?' } as const;
    const rows = many(300, (i) => ({
      type: i % 2 ? 'files' : 'reasoning',
      ...(i % 3 === 0 && { state: 'done', outcome: 'completed' }),
      ...(i === 100 && { state: 'awaiting-steer', question: asks }),
    }));
    const lines = linesOf(rows, view());
    const counted = lines.reduce((sum, line) => sum + (line.kind === 'group' ? line.rows.length : 1), 0);
    expect(counted).toBe(rows.length);
    expect(shown(lines)).toContain('  g.101');
    expect(lines.length).toBeLessThan(10);
  });

  test('shows what a search finds, without groups, with the way to it', () => {
    const rows = [...many(100, (i) => ({ instruction: i === 70 ? 'The NEEDLE' : 'hay' })), row('g.71-1', 'g.71')];
    expect(shown(linesOf(rows, view({ search: 'needle' })))).toEqual(['g.0', '  g.71']);
    expect(shown(linesOf(rows, view({ search: 'g.71-1' })))).toEqual(['g.0', '  g.71', '    g.71-1']);
    expect(linesOf(rows, view({ search: 'nowhere' }))).toEqual([]);
  });
});

describe('a deep goal', () => {
  const chain = (asksAt?: number) =>
    Array.from({ length: 9 }, (_, i) =>
      row(`g.${i}`, i === 0 ? null : `g.${i - 1}`, {
        ...(i === asksAt && { question: { id: 'q', kind: 'asked', text: '?' } }),
      }),
    );

  test('is folded below a depth, and opens', () => {
    const lines = linesOf(chain(), view());
    expect(lines).toHaveLength(deep + 1);
    const opened = linesOf(chain(), view({ turned: new Set([lines.at(-1)!.name]) }));
    expect(opened).toHaveLength(deep + 2);
    expect(linesOf(chain(), view({ turned: new Set([lines[0]!.name]) }))).toHaveLength(1);
  });

  test('is open down to a task that asks', () => {
    expect(linesOf(chain(7), view())).toHaveLength(8);
  });
});

test('a row whose parent is not among the rows is at the top', () => {
  expect(shown(linesOf([row('g.4', 'g.0'), row('g.4-1', 'g.4')], view()))).toEqual(['g.4', '  g.4-1']);
});

test('a status replaces what a row said, also where it says less', () => {
  const before = row('g.1', 'g.0', { paused: true, doing: 'reads', question: { id: 'q', kind: 'asked', text: '?' } });
  const status = {
    state: 'done',
    outcome: 'failed',
    step: 9,
    backend: null,
    usage: usage(7),
    question: null,
    at: 't',
    paused: false,
  };
  const after = withStatus({ ...before, backend: 'main' }, status as unknown as Status);
  expect(after).toMatchObject({ state: 'done', outcome: 'failed', steps: 9, backend: 'main', usage: usage(7), question: null });
  expect(after).not.toHaveProperty('paused');
  expect(after).not.toHaveProperty('doing');
});

describe('lanes', () => {
  const at = (s: number) => new Date(s * 1_000).toISOString();
  const ended = row('g.1', 'g.0', { createdAt: at(10), updatedAt: at(20), state: 'done', outcome: 'completed' });
  const working = row('g.2', 'g.0', { createdAt: at(15), updatedAt: at(16) });

  test('last until the end of a task, or until now', () => {
    expect(spanOf(ended, 50_000)).toEqual({ from: 10_000, to: 20_000 });
    expect(spanOf(working, 50_000)).toEqual({ from: 15_000, to: 50_000 });
    expect(spanOf(row(null, 'g.0'), 50_000)).toBeNull();
    expect(timeOf([ended, working], 30_000)).toEqual({ from: 10_000, to: 30_000 });
  });

  test('stay inside the time of the goal, however short they are', () => {
    const whole = { from: 0, to: 1_000_000 };
    expect(placeOf({ from: 0, to: 500_000 }, whole)).toEqual({ left: 0, width: 50 });
    const { left, width } = placeOf({ from: 1_000_000, to: 1_000_000 }, whole);
    expect(width).toBeGreaterThan(0);
    expect(left + width).toBeLessThanOrEqual(100);
  });

  test('a task that works says its last sign of life, and one that was silent for long is told so', () => {
    expect(vitalOf({ ...working, lastTokenAt: at(40), lastToolAt: at(30) }, 50_000)).toEqual({
      word: 'last word of the model 10 s ago',
      isQuiet: false,
    });
    expect(vitalOf({ ...working, lastToolAt: at(30) }, 300_000)).toEqual({
      word: 'last word of a tool 5 min ago',
      isQuiet: true,
    });
    expect(vitalOf(working, 17_000)).toEqual({ word: 'no word of the model yet; 1 s', isQuiet: false });
    expect([vitalOf(ended, 50_000), vitalOf({ ...working, paused: true }, 50_000)]).toEqual([null, null]);
  });
});
