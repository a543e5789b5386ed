import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sliceOf } from '../../actors/slice.ts';
import type { PlanNode } from '../../machines/plan.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never, statusWhere } from '../support/watching.ts';

const node = (key: string, status: PlanNode['status']): PlanNode => ({
  ...{ key, type: 'reasoning', instruction: '', needs: [], after: [], backend: null, attempt: 1 },
  ...{ child: null, failure: null, without: [], corrections: 0, status },
});

test('without a budget nothing is shared out', () => {
  expect(sliceOf(null, { nodes: { a: node('a', 'waiting') }, usage: {} })).toBeNull();
});

test('whatever each spends of its share, and in whatever order they run, all together stay within the budget', () => {
  const shares = fc.array(fc.record({ spends: fc.double({ min: 0, max: 1, noNaN: true }), waits: fc.nat(3) }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(shares, fc.integer({ min: 1, max: 100 }), (tasks, budget) => {
      const nodes: Record<string, PlanNode> = Object.fromEntries(tasks.map((_, i) => [`k${i}`, node(`k${i}`, 'waiting')]));
      let spent = 0;
      const out: { key: string; costs: number; left: number }[] = [];
      const usage = () => ({ b: { inputTokens: 0, outputTokens: 0, costUsd: spent } });
      const end = ({ key, costs }: { key: string; costs: number }) => {
        spent += costs;
        nodes[key] = node(key, 'returned');
      };
      for (const [i, { spends, waits }] of tasks.entries()) {
        const slice = sliceOf(budget, { nodes, usage: usage() })!;
        nodes[`k${i}`] = node(`k${i}`, 'running');
        out.push({ key: `k${i}`, costs: slice * spends, left: waits });
        for (const each of out.splice(0)) each.left === 0 ? end(each) : out.push({ ...each, left: each.left - 1 });
        const owed = out.reduce((sum, { costs }) => sum + costs, 0);
        expect(spent + owed).toBeLessThanOrEqual(budget * (1 + 1e-9));
      }
    }),
  );
});

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

test('a goal whose budget is spent lets its sub-task ask before it calls a model, and go on when it is topped up', async () => {
  const joined = await crew.join();
  await crew.node(joined, { rosterYaml: 'budgets: { goal_usd: 0 }' });
  const plan = { tasks: [{ key: 'a', type: 'reasoning', instruction: 'find it' }], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan });
  const child = id.replace('.0', '.1');
  const { question, step } = await statusWhere(joined.crew, child, ({ state }) => state === 'awaiting-steer');
  expect([question?.kind, step]).toEqual(['budget', 0]);
  await joined.crew.steer(child, { type: 'budget', costUsd: 1 });
  (await crew.model.next()).reply('found');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
});
