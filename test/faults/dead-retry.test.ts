/**
 * A retry that is killed at any of its writes and then repeated has run the task again once, and the letter is gone. The suite
 * tries the middle writes, `npm run test:crash` all of them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import type { CoxNode } from '../../actors/node/node.ts';
import { TaskSpec } from '../../bus/messages.ts';
import { claim } from '../../bus/queue/claim.ts';
import { DeadLetters } from '../../bus/queue/dead-letters.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { readState } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { statusWhere } from '../support/watching.ts';

const entry = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const now = () => new Date();

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

async function retry(id: string, crashAt: string | null): Promise<'killed' | number> {
  const env = { ...crew.env, ...(crashAt !== null && { COX_CRASH_AT: crashAt }) } as NodeJS.ProcessEnv;
  const child = spawn(process.execPath, [entry, 'dead', 'retry', id], { env, stdio: 'ignore' });
  const [code, signal] = await once(child, 'exit');
  return signal === 'SIGKILL' ? 'killed' : code;
}

async function giveUp(id: string, spec?: TaskSpec): Promise<void> {
  for (let worker = 0; ; worker++) {
    const ticket = { id, run: 1, ...(spec && { spec }) };
    const claimed = await claim(joined.bus, { type: 'reasoning', ticket, seq: 99 }, { node: `n${worker}`, now, leaseMs: 1_000 });
    if (claimed.kind !== 'end') continue;
    await endTask(joined.bus, claimed.stored, claimed.failure, now().toISOString());
    return;
  }
}

const isFull = process.env.COX_MATRIX === 'full';
const points = {
  dispatched: isFull
    ? around('letter#1', 'state#1', 'pending#1', 'state#2')
    : ['letter:after#1', 'pending:before#1', 'state:before#2'],
  rerun: isFull ? around('steering#1', 'state#1') : ['state:before#1'],
};
/** `state#2`: right before and right after the second write of a state record. */
function around(...writes: string[]): string[] {
  return writes.flatMap((write) => ['before', 'after'].map((when) => write.replace('#', `:${when}#`)));
}

test.each(points.dispatched)('a retry of a single task that is killed at %s can be repeated', async (point) => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'once more' });
  await giveUp(id);
  expect(await retry(id, point)).toBe('killed');
  // After the last write only the purge is left, and the remaining letter says so.
  expect(await retry(id, null)).toBe(0);
  const tasks = await joined.crew.tasks();
  expect(tasks.map(({ outcome }) => outcome).sort()).toEqual(['failed', null].sort());
  expect(await new DeadLetters(joined.crew).list()).toEqual([]);
  const { bus } = joined;
  const { state } = await bus.jsm.streams.info(bus.subjects.workStream, { subjects_filter: '>' });
  // The ticket of the dead task was never acked here.
  expect(state.messages).toBe(2);
});

/** A goal that asks about its sub-task, which ended as poison. */
async function asking(): Promise<{ node: CoxNode; goal: string; child: string }> {
  const node = await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const tasks = [{ key: 'a', type: 'reasoning', instruction: 'Do a' }];
  const goal = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan: { tasks, reduce: { by: 'concat' } } });
  await statusWhere(joined.crew, goal, ({ subTasks }) => subTasks?.running === 1);
  const child = goal.replace(/0$/, '1');
  await giveUp(child, TaskSpec.parse(tasks[0]));
  await statusWhere(joined.crew, goal, ({ question }) => question !== null);
  return { node, goal, child };
}

async function runsAgainOnce(goal: string): Promise<void> {
  await statusWhere(joined.crew, goal, ({ subTasks }) => subTasks?.running === 1);
  const stored = await readState(joined.bus, goal);
  expect(stored?.record).toMatchObject({ children: 2, plan: [{ key: 'a', status: 'running', id: goal.replace(/0$/, '2') }] });
  expect(await new DeadLetters(joined.crew).list()).toEqual([]);
}

test.each(points.rerun)('a retry of a sub-task that is killed at %s can be repeated', async (point) => {
  const { goal, child } = await asking();
  expect(await retry(child, point)).toBe('killed');
  expect(await retry(child, null)).toBe(0);
  await runsAgainOnce(goal);
});

test('a retry of a sub-task can be repeated when it was killed before any node read its steer', async () => {
  const { node, goal, child } = await asking();
  await node.drain();
  expect(await retry(child, 'steering:after#1')).toBe('killed');
  const said = new Promise<void>((resolve) => {
    joined.bus.nc.subscribe(joined.bus.subjects.of(goal, 'steering'), { max: 1, callback: () => resolve() });
  });
  await joined.bus.nc.flush();
  const again = retry(child, null);
  await said;
  await crew.node(await crew.join('successor'), { types: ['supervisor'], quietMs: 20 });
  expect(await again).toBe(0);
  await runsAgainOnce(goal);
});
