/**
 * The paths of the sub-agent’s chart on real tasks: a real nats-server, model replies over HTTP, tools controlled by the test.
 * Only the suite in process has paths with a deadline, and facts that come only from a fault in our own code or from a fenced
 * worker.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SubAgentEvent, subAgent } from '../../../machines/sub-agent.ts';
import { allTransitions } from '../coverage.ts';
import { label } from '../sub-agent/alphabet.ts';
import { smallPaths } from '../sub-agent/explore.ts';
import { accounts, faultsOf, isFinal, owedBy, receiptsBySteer } from './account.ts';
import { Drive } from './drive.ts';
import { type Place, World } from './world.ts';

const has = (type: SubAgentEvent['type']) => (path: readonly SubAgentEvent[]) => path.some((event) => event.type === type);
const possible = smallPaths(true).filter((path) => !has('DEADLINE_PASSED')(path));
const calm = possible.filter((path) => !has('RESTORED')(path));
const withLoss = possible.filter(has('RESTORED'));
const covered = new Set<string>();
const nameOf = (path: readonly SubAgentEvent[]) => path.map(label).join(' → ');

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.stop());

/** Events before which the model says nothing. Before all others every other path lets the model speak first. */
const isQuiet = ({ type }: SubAgentEvent) => ['MODEL_SAID', 'MODEL_FAILED', 'RESTORED'].includes(type);

async function walk(place: Place, path: readonly SubAgentEvent[], tag: string, isTalkative: boolean): Promise<Drive> {
  const drive = await Drive.open(place, tag, covered);
  try {
    for (const event of path) {
      if (isTalkative && drive.isThinking && !isQuiet(event)) await drive.go({ type: 'MODEL_SAID', text: 'tok' });
      await drive.go(event);
    }
    await drive.finish();
    return drive;
  } catch (cause) {
    throw new Error(`on ${nameOf(path)}: ${String(cause)}`, { cause });
  } finally {
    drive.stop();
  }
}

/** Runs `work` for each, even if others fail. @returns the errors. */
async function each<T>(all: readonly T[], atOnce: number, work: (one: T, i: number) => Promise<void>): Promise<string[]> {
  const wrong: string[] = [];
  const left = all.entries();
  const one = async () => {
    for (const [i, item] of left) await work(item, i).catch((cause) => wrong.push(String(cause)));
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return wrong;
}

/** The receipts on the log must agree with the committed ledger. */
async function checkLog(place: Place, drives: readonly Drive[]): Promise<string[]> {
  const all = await accounts(place.bus);
  return drives.flatMap(({ id, record }) => {
    const account = all.get(id)!;
    const bySteer = receiptsBySteer(account);
    const { steers } = record!.snapshot!.context as { steers: { id: string; fate: string; step?: number }[] };
    const differing = steers.filter(({ id: steer, fate, step }) => {
      const last = bySteer.get(steer)?.find(isFinal);
      return last?.fate !== fate || last.step !== step;
    });
    return [
      ...faultsOf(account),
      ...owedBy(account),
      ...differing.map((steer) => `O ${JSON.stringify(steer)} was told otherwise`),
    ].map((fault) => `${id}: ${fault}`);
  });
}

test('a task keeps the contract on every path of its chart', { timeout: 900_000 }, async () => {
  const place = await world.place('calm');
  await place.replaceNode();
  const drives: Drive[] = [];
  const wrong = await each(calm, 12, async (path, i) => {
    drives.push(await walk(place, path, `#calm${i}x`, i % 2 === 1));
  });
  expect(wrong).toEqual([]);
  expect(await checkLog(place, drives)).toEqual([]);
});

test('a task keeps the contract on every path on which its worker is lost', { timeout: 900_000 }, async () => {
  // These paths mostly wait: for the lease of the lost worker, then until it can no longer run the call in doubt.
  const faults: string[] = [];
  const wrong = await each(withLoss, 16, async (path, i) => {
    const place = await world.place(`loss${i}`);
    await place.replaceNode();
    const drive = await walk(place, path, `#loss${i}x`, i % 2 === 1);
    faults.push(...(await checkLog(place, [drive])));
    await place.stop();
  });
  expect(wrong).toEqual([]);
  expect(faults).toEqual([]);
});

test('the paths take every transition that can be brought about from outside', () => {
  const all = allTransitions(subAgent);
  const missing = all.filter((transition) => !covered.has(transition));
  const isLeft = (transition: string) =>
    transition.includes('xstate.error') ||
    transition.includes('CALL_PRICED') ||
    transition.includes('CALL_BILLED') ||
    // A task that has something to produce: test/actors/sub-agent/produced.test.ts.
    transition === 'sub-agent.running.deciding always#8' ||
    transition.includes('checking') ||
    transition === 'sub-agent DEADLINE_PASSED#0' ||
    transition === 'sub-agent.awaiting-steer TOOL_RETURNED#0';
  process.stdout.write(
    `bus: ${calm.length + withLoss.length} paths, ${all.length - missing.length} transitions covered of ${all.length}\n`,
  );
  expect(missing.filter((transition) => !isLeft(transition))).toEqual([]);
});
