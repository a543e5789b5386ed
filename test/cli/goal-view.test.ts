import { expect, it } from 'vitest';
import type { Status, TreeNode } from '../../bus/messages.ts';
import { GoalView } from '../../cli/goal-view.ts';

const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
const node = (id: string | null, more: Partial<TreeNode> = {}): TreeNode => ({
  id,
  parent: id === 'k3xq.0' ? null : 'k3xq.0',
  key: null,
  type: 'files',
  instruction: 'x',
  backend: null,
  state: 'thinking',
  outcome: null,
  steps: 1,
  usage,
  question: null,
  ...more,
});
const status = (id: string, more: Partial<Status> = {}): Status => ({
  id,
  type: 'files',
  commit: 1,
  epoch: 1,
  at: '2026-01-01T00:00:00.000Z',
  node: 'n',
  state: 'thinking',
  step: 1,
  backend: null,
  paused: false,
  question: null,
  receipts: [],
  usage,
  outcome: null,
  ...more,
});

const viewOf = async (...trees: TreeNode[][]) => {
  let reads = 0;
  const view = new GoalView({ tree: async () => trees[Math.min(reads++, trees.length - 1)]! }, 'k3xq.0');
  await view.refresh();
  return { view, reads: () => reads };
};

it('the view takes up the statuses of the tasks that it knows', async () => {
  const { view } = await viewOf([node('k3xq.0', { state: 'gathering' }), node('k3xq.1')]);
  expect(view.apply(status('k3xq.1', { state: 'acting', step: 2, backend: 'local' }))).toBe(false);
  expect(view.nodes[1]).toMatchObject({ state: 'acting', steps: 2, backend: 'local' });
});

it('the view does not go back to a status older than its tree', async () => {
  const { view } = await viewOf([node('k3xq.0')], [node('k3xq.0', { steps: 5, state: 'done', outcome: 'completed' })]);
  view.apply(status('k3xq.0', { step: 2 }));
  await view.refresh();
  expect(view.nodes[0]).toMatchObject({ steps: 5, outcome: 'completed' });
});

it('the view asks for another read when a task is new or the plan has changed', async () => {
  const { view } = await viewOf([node('k3xq.0')]);
  expect(view.apply(status('k3xq.1'))).toBe(true);
  const subTasks = { waiting: 1, running: 1, returned: 0, failed: 0, dropped: 0 };
  expect(view.apply(status('k3xq.0', { subTasks }))).toBe(true);
  expect(view.apply(status('k3xq.0', { subTasks: { ...subTasks } }))).toBe(false);
  expect(view.apply(status('zzzz.0'))).toBe(false);
});

it('one more read serves all requests that come during a read', async () => {
  const { view, reads } = await viewOf([node('k3xq.0')]);
  await Promise.all([view.refresh(), view.refresh(), view.refresh()]);
  expect(reads()).toBeLessThanOrEqual(3);
  expect(reads()).toBeGreaterThanOrEqual(2);
});

it('the view is stalled when all open tasks wait for the operator', async () => {
  const waiting = node('k3xq.1', { state: 'awaiting-steer', question: { id: 'q1', kind: 'asked', text: '?' } });
  const { view } = await viewOf([node('k3xq.0', { state: 'gathering' }), waiting, node('k3xq.2'), node(null, { state: 'idle' })]);
  expect(view.stalled).toBe(false);
  view.apply(status('k3xq.2', { state: 'done', outcome: 'completed' }));
  expect(view.stalled).toBe(true);
  view.apply(status('k3xq.1', { state: 'thinking', step: 2 }));
  expect(view.stalled).toBe(false);
});
