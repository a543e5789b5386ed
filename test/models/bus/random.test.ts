/**
 * Random sequences of steers, replies, lost workers and a killed broker, on real tasks over a real nats-server, under the
 * contract of steering alone. A failure prints seed and path; `COX_SEED` repeats the seed, COX_MODELS=large runs many.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLarge, seed } from '../report.ts';
import { type Account, accounts, faultsOf, owedBy } from './account.ts';
import { Chance, contextOf, forGoal, forTask, type Happening } from './chance.ts';
import { effectFaults, toldTwice, wordFaults } from './steering-contract.ts';
import { type Place, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.stop());

let places = 0;
const newPlace = async (): Promise<Place> => {
  const place = await world.place(`chance${places++}`);
  await place.replaceNode();
  return place;
};

/** Waits until every task of the tree has its result and owes no receipt, or until an error that no later message can correct. */
async function settledAccounts(place: Place, chance: Chance): Promise<Map<string, Account>> {
  let all = new Map<string, Account>();
  let owed: string[] = [];
  await chance.outside.until(
    () => owed.join('; '),
    async () => {
      all = await accounts(place.bus);
      const tree = await chance.tree();
      const none: Account = { statuses: [], steers: [], results: [] };
      owed = tree.flatMap((task) => owedBy(all.get(task) ?? none).map((what) => `${task}: ${what}`));
      return owed.length === 0 || faults(all).length > 0;
    },
  );
  return all;
}
const faults = (all: Map<string, Account>) =>
  [...all].flatMap(([task, account]) => faultsOf(account).map((fault) => `${task}: ${fault}`));

const run = async (chance: Chance, happenings: readonly Happening[]) => {
  for (const happening of happenings) await chance.go(happening);
};
/** A run takes seconds, so shrinking has a time limit. */
const settings = (numRuns: number) => ({ numRuns, seed, interruptAfterTimeLimit: isLarge ? 3_600_000 : 600_000 });
const atMost = (maxLength: number) => ({ minLength: 4, maxLength });

test('two tasks keep the contract of steering, whatever happens to them', { timeout: 4_000_000 }, async () => {
  const eachTask = fc.array(forTask, atMost(14));
  const property = fc.asyncProperty(eachTask, eachTask, async (one, other) => {
    const place = await newPlace();
    const tasks = await Promise.all(['one', 'other'].map((name) => Chance.dispatch(place, world, `#${name}${places}x`, 'agent')));
    await Promise.all(tasks.map((task, i) => run(task, i === 0 ? one : other)));
    for (const task of tasks) {
      const { messages = [] } = contextOf(await task.finish());
      const all = await settledAccounts(place, task);
      expect(faults(all)).toEqual([]);
      expect(wordFaults(task.sent, all.get(task.id)!, messages, task.outside.calls)).toEqual([]);
      expect(effectFaults(task.outside.runs)).toEqual([]);
    }
    await place.stop();
  });
  await fc.assert(property, settings(isLarge ? 500 : 20));
});

test('a goal with two sub-tasks keeps the contract of steering and ends after them', { timeout: 4_000_000 }, async () => {
  const property = fc.asyncProperty(fc.array(forGoal, atMost(12)), async (happenings) => {
    const place = await newPlace();
    const goal = await Chance.dispatch(place, world, `#goal${places}x`, 'supervisor');
    await run(goal, happenings);
    await goal.finish();
    const all = await settledAccounts(place, goal);
    expect(faults(all)).toEqual([]);
    const [end = 0] = all.get(goal.id)!.results;
    for (const task of await goal.tree()) expect(all.get(task)!.results[0]).toBeLessThanOrEqual(end);
    expect(toldTwice(goal.sent, goal.outside.calls)).toEqual([]);
    await place.stop();
  });
  await fc.assert(property, settings(isLarge ? 200 : 10));
});
