import { expect, test } from 'vitest';
import { planOfMap } from '../../../actors/supervisor/decompose.ts';
import { type NodeResult, sources } from '../../../actors/supervisor/reduce.ts';
import type { PlanNode } from '../../../machines/plan.ts';

const map = {
  kind: 'files',
  items: ['README.md', 'a b', 'a-b', ' README.md '],
  each: 'Read {item} twice: {item}',
  final: 'Join',
};

test('a map becomes one sub-task for each item, with keys that an operator can type', () => {
  const { nodes, reduce } = planOfMap(map, { nodes: {} }, { reducer: 'orchestrator' });
  expect(nodes.map(({ key, instruction }) => [key, instruction])).toEqual([
    ['README.md', 'Read README.md twice: README.md'],
    ['a-b', 'Read a b twice: a b'],
    ['a-b-2', 'Read a-b twice: a-b'],
  ]);
  expect(reduce).toEqual({ by: 'orchestrator', instruction: 'Join' });
});

test('a new plan does not reuse the keys of sub-tasks that are done', () => {
  const done = { 'README.md': {} as PlanNode };
  expect(planOfMap(map, { nodes: done }, { reducer: 'concat' }).nodes[0]?.key).toBe('README.md-2');
});

test('an instruction without a placeholder names the item at its end', () => {
  const { nodes } = planOfMap({ ...map, each: 'Summarize', items: ['x'] }, { nodes: {} }, { reducer: 'main' });
  expect(nodes[0]?.instruction).toBe('Summarize (x)');
});

test('an answer names its sources and the sub-tasks that failed', () => {
  const node = (key: string, status: PlanNode['status']) => ({ key, status, failure: null }) as PlanNode;
  const done = (id: string) => ({ id, outcome: 'completed', output: 'x' }) as NodeResult['result'];
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
  expect(sources(outcomes)).toBe('Sources: a (k3xq.1)\nFailed: b (stuck)');
});
