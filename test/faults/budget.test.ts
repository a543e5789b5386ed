/**
 * The provider never bills a goal more than its budget and what operators have added, whatever happens: replies, refusals,
 * connections that break off, corrections during a call, changes of the plan, lost workers. `COX_SEED` repeats a seed,
 * COX_MODELS=large runs many.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SteeringInput } from '../../bus/messages.ts';
import { isLarge, seed } from '../models/report.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { Goal, type Happening, maxOutput } from './budget/goal.ts';

let crew: TestCrew;
const goals = new Map<string, Goal>();
beforeAll(async () => {
  crew = await testCrew();
  crew.model.answer((call) => {
    const [, namespace = ''] = /#(\w+)/.exec(JSON.stringify(call.messages)) ?? [];
    goals.get(namespace)!.provider.takes(call);
  });
});
afterAll(() => crew.stop());

/** How much of the worst case a request uses; mostly all of it. */
const part = fc.constantFrom(0, 0.3, 1, 1, 1);
const price = fc.record({ input: fc.constantFrom(0, 1, 30), output: fc.constantFrom(1, 1_000, 30_000) });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      what: fc.constant('answer' as const),
      how: fc.constantFrom('reply' as const, 'look', 'nonsense', 'busy', 'broken', 'cut'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('steer' as const),
      at: fc.nat(5),
      message: fc.oneof<fc.MaybeWeightedArbitrary<SteeringInput>[]>(
        { weight: 8, arbitrary: fc.constant({ type: 'steer' as const, text: 'faster', urgency: 'now' as const }) },
        fc.record({ type: fc.constant('swap' as const), backend: fc.constantFrom('main', 'other') }),
        fc.record({ type: fc.constant('rerun' as const), key: fc.constantFrom('a', 'b') }),
        fc.constant({ type: 'add' as const, task: { key: 'd', type: 'files', instruction: 'do d' } }),
        fc.constant({ type: 'drop' as const, key: 'b' }),
        fc.constant({ type: 'redirect' as const, text: 'something else' }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: 'lose worker' as const }) },
);

let runs = 0;
test('the provider never bills more than the budget and what was added to it', { timeout: 4_000_000 }, async () => {
  const figures = { requests: 0, asked: 0 };
  const property = fc.asyncProperty(
    fc.record({ main: price, other: price }),
    fc.array(fc.record({ input: part, output: part }), { minLength: 1, maxLength: 8 }),
    fc.array(happening, { minLength: 5, maxLength: 20 }),
    // The budget in calls of the usual size. The plan takes one of them.
    fc.integer({ min: 2, max: 24 }),
    fc.record({ isGenerous: fc.boolean(), isSpendthrift: fc.boolean() }),
    async (prices, lucks, happenings, calls, { isGenerous, isSpendthrift }) => {
      const usd = ({ input, output }: typeof prices.main) => (3_000 * input + maxOutput * output) / 1_000_000;
      const budgetUsd = calls * usd(prices.main);
      const namespace = `purse${runs++}`;
      let drawn = 0;
      const goal = await Goal.dispatch(
        crew,
        namespace,
        prices,
        () => lucks[drawn++ % lucks.length]!,
        budgetUsd,
        (it) => goals.set(namespace, it),
      );
      for (const each of happenings) await goal.go(each);
      const { usage } = await goal.finish(isSpendthrift, isGenerous ? 4 * Math.max(usd(prices.main), usd(prices.other)) : 0);
      const most = budgetUsd + goal.toppedUpUsd;
      const { billedUsd, requests } = goal.provider;
      expect(billedUsd).toBeLessThanOrEqual(usage.costUsd * (1 + 1e-9));
      expect(usage.costUsd).toBeLessThanOrEqual(most * (1 + 1e-9));
      figures.requests += requests;
      figures.asked += goal.asked;
    },
  );
  await fc.assert(property, { numRuns: isLarge ? 300 : 12, seed, interruptAfterTimeLimit: isLarge ? 3_600_000 : 600_000 });
  // Without requests and refusals the test would show nothing.
  expect(figures.requests).toBeGreaterThan(0);
  expect(figures.asked).toBeGreaterThan(0);
  process.stdout.write(`budget: ${runs} goals, ${figures.requests} requests, ${figures.asked} times asked for money\n`);
});
