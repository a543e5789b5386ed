import { expect, test } from 'vitest';
import { planOfMap } from '../../../actors/supervisor/decompose.ts';
import { type NodeResult, sources } from '../../../actors/supervisor/reduce.ts';
import { withCutMark } from '../../../bus/cut-mark.ts';
import type { PlanNode } from '../../../machines/plan.ts';

const map = {
  files: {},
  kind: 'files',
  items: ['README.md', 'a b', 'a-b', ' README.md '],
  each: 'Read {item} twice: {item}',
  final: 'Join',
};

const goal = { nodes: {}, instruction: 'the goal' };

test('a map becomes one sub-task for each item, with keys that an operator can type', () => {
  const { nodes, reduce } = planOfMap(map, goal, { reducer: 'orchestrator' });
  expect(nodes.map(({ key, instruction }) => [key, instruction])).toEqual([
    ['README.md', 'Read README.md twice: README.md'],
    ['a-b', 'Read a b twice: a b'],
    ['a-b-2', 'Read a-b twice: a-b'],
  ]);
  expect(reduce).toEqual({ by: 'orchestrator', instruction: 'Join' });
});

test('a new plan does not reuse the keys of sub-tasks that are done', () => {
  const done = { 'README.md': {} as PlanNode };
  expect(planOfMap(map, { ...goal, nodes: done }, { reducer: 'concat' }).nodes[0]?.key).toBe('README.md-2');
});

test('an instruction without a placeholder names the item at its end', () => {
  const { nodes } = planOfMap({ ...map, each: 'Summarize', items: ['x'] }, goal, { reducer: 'main' });
  expect(nodes[0]?.instruction).toBe('Summarize (x)');
});

test('a file that the goal asks for has a sub-task that must write it, after those that read', () => {
  const files = { 'meeting.txt': 'read', 'summary.txt': 'write' } as const;
  const items = ['meeting.txt', 'summary.txt'];
  const { nodes } = planOfMap({ ...map, files, items }, { ...goal, instruction: 'sum it up' }, { reducer: 'main' });
  expect(nodes).toMatchObject([
    { key: 'meeting.txt', after: [] },
    { key: 'summary.txt', after: ['meeting.txt'], produces: [{ file: 'summary.txt' }] },
  ]);
  expect(nodes[1]?.instruction).toMatch(/^sum it up[\s\S]*write the file summary\.txt/);
  expect(nodes[0]?.produces).toBeUndefined();
});

test('a goal that only writes has no sub-task that reads', () => {
  const { nodes } = planOfMap({ ...map, files: { 'a.txt': 'write' }, items: ['a.txt', 'spelling'] }, goal, { reducer: 'main' });
  expect(nodes.map(({ key, produces }) => [key, produces])).toEqual([['a.txt', [{ file: 'a.txt' }]]]);
});

test('an answer says which results were cut off', () => {
  const node = { key: 'a', status: 'returned', failure: null } as PlanNode;
  const result = { id: 'k3xq.1', outcome: 'completed', output: withCutMark('half', 'length') } as NodeResult['result'];
  expect(sources([{ node, result }])).toBe('Incomplete, because the reply was cut off: a (length)');
});

test('an answer says what was read and done, what it only names, and which sub-tasks failed', () => {
  const node = (key: string, status: PlanNode['status']) => ({ key, status, failure: null }) as PlanNode;
  const done = (id: string) =>
    ({
      ...{ id, outcome: 'completed', output: 'x', sources: ['notes/a.txt'] },
      effects: [
        { call: 's1-0', tool: 'write_file', target: 'b.txt', step: 1, outcome: 'done', kind: 'changed', added: 2, removed: 1 },
      ],
    }) as unknown as NodeResult['result'];
  const failed = {
    id: 'k3xq.3',
    outcome: 'failed',
    failure: { code: 'stuck', message: 'm', retryable: false },
  } as NodeResult['result'];
  const outcomes: NodeResult[] = [
    { node: node('a', 'returned'), result: done('k3xq.1') },
    { node: node('b', 'failed'), result: failed },
    { node: node('c', 'dropped'), result: null },
  ];
  expect(sources(outcomes, 'As notes/a.txt and c.txt say, see b.txt and https://x.example/y.')).toBe(
    [
      'Sources: notes/a.txt (k3xq.1)',
      'Done: wrote b.txt (+2 −1)',
      'Named above, but read by no sub-task: c.txt, https://x.example/y',
      'Failed: b (stuck)',
    ].join('\n'),
  );
  expect(sources([])).toBe('');
});
