/** Checkpoints of older versions are migrated to the present charts. */
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { migrate, subAgentChart, supervisorChart } from '../../machines/charts.ts';

const usage = { main: { inputTokens: 10, outputTokens: 5, costUsd: 1 } };
const snapshot = (value: unknown, context: object) => ({ status: 'active', value, historyValue: {}, tags: [], context });
const node = (key: string, status: string, child: number | null) => ({
  ...{ key, type: 'reasoning', instruction: '', needs: [], after: [], backend: null, attempt: 1 },
  ...{ status, child, failure: null, without: [], corrections: 0 },
});

test('a migrated sub-agent has nothing set aside', () => {
  const old = snapshot('awaiting-steer', { step: 2, usage, limits: { costUsd: 3 } });
  const now = migrate(subAgentChart, 1, old)!;
  expect(now.context).toMatchObject({ step: 2, usage, limits: { costUsd: 3 }, reserved: null, toppedUpUsd: 0 });
  const restored = createActor(subAgentChart.machine, { snapshot: { ...now, children: {} } as never }).getSnapshot();
  expect(restored.value).toBe('awaiting-steer');
});

test('a migrated sub-agent lists the calls that may have run as in doubt, since nobody kept how they ended', () => {
  const call = (id: string, effects: string) => ({ id, tool: 'write_file', args: {}, effects });
  const messages = [
    { role: 'assistant', text: '', calls: [call('s1-0', 'idempotent'), call('s1-1', 'none'), call('s1-2', 'writes')] },
    { role: 'tool', call: 's1-0', text: 'wrote 3 characters' },
    { role: 'tool', call: 's1-1', text: 'read' },
    { role: 'tool', call: 's1-2', text: 'not run, the operator says: no' },
    { role: 'assistant', text: '', calls: [call('s2-0', 'writes')] },
  ];
  const old = snapshot({ running: 'acting' }, { messages, calls: [{ ...call('s2-0', 'writes'), started: true }] });
  expect(migrate(subAgentChart, 2, old)!.context).toMatchObject({
    effects: [{ call: 's1-0', target: 'write_file', step: 1, outcome: 'in-doubt' }],
    ...{ sources: [], allowed: [], mustProduce: false, checked: false, missing: null },
  });
  expect((migrate(subAgentChart, 2, old)!.context as { effects: unknown[] }).effects).toHaveLength(1);
});

const goal = snapshot(
  { gathering: 'collecting' },
  {
    policy: { concurrency: 2 },
    nodes: { a: node('a', 'running', 2), b: node('b', 'waiting', null), c: node('c', 'returned', 1) },
    stopping: [3],
    usage,
  },
);

test('a migrated goal sets aside for each running child the most that it can have been given', () => {
  const { context } = migrate(supervisorChart(9), 1, goal)!;
  expect(context).toMatchObject({ policy: { concurrency: 2, budgetUsd: 9 }, reserved: null, toppedUpUsd: 0 });
  // $8 are left, for two running children, one that waits, and the goal itself.
  expect((context as { slices: object }).slices).toEqual({ 2: 2, 3: 2 });
});

test('a migrated goal without a budget sets nothing aside', () => {
  const { context } = migrate(supervisorChart(null), 1, goal)!;
  expect(context).toMatchObject({ policy: { budgetUsd: null }, slices: {} });
});
