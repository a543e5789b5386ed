/** Budgets are escrow (rule `escrow`, docs/adr/0022): tried over a real bus, with backends that have a price. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { NodeOptions } from '../../../actors/node/node.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { totalUsage } from '../../../machines/conversation.ts';
import type { SubAgentContext } from '../../../machines/sub-agent.ts';
import type { SupervisorContext } from '../../../machines/supervisor-context.ts';
import { parseRoster } from '../../../roster/load.ts';
import type { Roster } from '../../../roster/schema.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { finalReceipt, never, receiptsOf, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

/**
 * `main` costs a dollar for each output token, so its worst case is the 4 dollars of `max_output`. `other` costs twice as much.
 */
function paid(): { roster: { current(): Roster } } {
  const backend = (model: string, output: number, more = '') =>
    `{ base_url: "${crew.model.url}", model: ${model}, tier: local, good_at: [reasoning], cost: { input: 0, output: ${output} }, max_output: 4${more} }`;
  const roster = parseRoster(
    `backends:
  main: ${backend('scripted', 1_000_000, ', can_orchestrate: true, concurrency: 64')}
  other: ${backend('other', 2_000_000)}
agents: { reasoning: { prompt: You think., needs: [reasoning] } }
limits: { retries: 0, breaker_failures: 1000 }
`,
    '/roster.yaml',
  );
  return { roster: { current: () => roster } };
}
const node = (at = joined) => crew.node(at, { ...paid(), leaseMs: 1_000, quietMs: 20 });
const task = (costUsd: number, more: object = {}) =>
  joined.crew.dispatch({ type: 'reasoning', instruction: 'find it', limits: { costUsd }, ...more });
const contextOf = async (id: string) =>
  (await readState(joined.bus, id))!.record.snapshot!.context as unknown as Pick<SubAgentContext, 'reserved' | 'usage'>;
/** Two output tokens, which cost 2 dollars on `main`. */
const bill = { prompt_tokens: 1, completion_tokens: 2 };
const reply = (call: ModelCall, text: string) => call.say(text).end([], bill);

test('the worst case of a call is in the commit before it starts, and the bill takes its place', async () => {
  await node();
  const id = await task(10);
  const call = await crew.model.next();
  const { record } = (await readState(joined.bus, id))!;
  expect(record.outUsd).toBe(4);
  expect(await contextOf(id)).toMatchObject({ reserved: { backend: 'main', costUsd: 4 }, usage: {} });
  reply(call, 'found');
  expect(await joined.crew.result(id, never)).toMatchObject({ usage: { costUsd: 2 }, usageByBackend: { main: { costUsd: 2 } } });
  const done = (await readState(joined.bus, id))!.record;
  expect(done.outUsd).toBeUndefined();
  expect(done.result!.usage).not.toHaveProperty('estimatedUsd');
});

test('a call that can’t be afforded is not made: the task asks, its correction waits, and a top-up lets both go on', async () => {
  await node();
  const id = await task(3, { limits: { costUsd: 3, steps: 1 } });
  const { question, step } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question).toMatchObject({ kind: 'budget', choices: ['stop'] });
  expect(question!.text).toContain('on main, may cost $4, and $3 of $3 is left');
  // The refused call has not used up the one step.
  expect(step).toBe(0);
  const steer = await joined.crew.steer(id, { type: 'steer', text: 'and quickly' });
  await joined.crew.steer(id, { type: 'budget', costUsd: 0.5 });
  const again = await statusWhere(joined.crew, id, (status) => status.question !== null && status.question.id !== question!.id);
  expect(again.question!.text).toContain('$3.5 of $3.5 is left');
  expect(again.step).toBe(0);
  expect(crew.model.calls).toHaveLength(0);

  await joined.crew.steer(id, { type: 'budget', costUsd: 0.5 });
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['find it\n\nand quickly']);
  reply(call, 'found');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', usage: { costUsd: 2 }, toppedUpUsd: 1 });
  expect(await finalReceipt(joined.crew, id, steer)).toMatchObject({ fate: 'applied', step: 1 });
  expect((await receiptsOf(joined.crew, id, steer)).filter(({ fate }) => fate === 'applied')).toHaveLength(1);
});

test('the answer `stop` ends a task that lacks money with the code `budget`', async () => {
  await node();
  const id = await task(3);
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'stop' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'budget' } });
});

test('a call that a correction aborts is in doubt and counts at its worst case', async () => {
  await node();
  const id = await task(10);
  const call = await crew.model.next();
  call.say('I think');
  await joined.crew.steer(id, { type: 'steer', text: 'faster' });
  expect(await call.closed).toBe(true);
  reply(await crew.model.next(), 'found');
  const { usage } = await joined.crew.result(id, never);
  expect(usage).toMatchObject({ costUsd: 6, estimatedUsd: 4 });
});

test('a call whose worker dies is in doubt and counts at its worst case', async () => {
  const dying = await crew.join('dying');
  await node(dying);
  const id = await task(9);
  await crew.model.next();
  await dying.abandon();
  await node();
  reply(await crew.model.next(), 'found');
  const { usage } = await joined.crew.result(id, never);
  expect(usage).toMatchObject({ costUsd: 6, estimatedUsd: 4 });
});

test('a call whose worker died is also counted when a process without the kind ends the task', async () => {
  const dying = await crew.join('dying');
  await node(dying);
  const id = await task(9);
  await crew.model.next();
  await dying.abandon();
  // A node without the kind can only end the task.
  const { roster } = paid();
  const without = { ...roster.current(), agents: {} };
  await crew.node(joined, { roster: { current: () => without }, types: ['reasoning'], leaseMs: 1_000 });
  const { usage, usageByBackend } = await joined.crew.result(id, never);
  expect(usage).toMatchObject({ costUsd: 4, estimatedUsd: 4 });
  expect(usageByBackend).toEqual({ main: usage });
});

test('a request that a backend rejects costs nothing, and the next backend gets a reserve of its own', async () => {
  await node();
  const id = await task(8);
  (await crew.model.next()).fail(503);
  const second = await crew.model.next();
  expect(second.body.model).toBe('other');
  expect(await contextOf(id)).toMatchObject({ reserved: { backend: 'other', costUsd: 8 } });
  reply(second, 'found');
  const { usageByBackend } = await joined.crew.result(id, never);
  expect(usageByBackend.other).toMatchObject({ costUsd: 4 });
  expect(usageByBackend.main?.costUsd ?? 0).toBe(0);
});

test('a request that breaks off counts at its worst case, which can make the next backend too dear', async () => {
  await node();
  const id = await task(11);
  (await crew.model.next()).say('I').cut();
  const { question, usage } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(usage).toMatchObject({ costUsd: 4, estimatedUsd: 4 });
  expect(question!.text).toContain('on other, may cost $8, and $7 of $11 is left');
  expect(crew.model.calls).toHaveLength(1);
});

const sub = (key: string, ...after: string[]) => ({ key, type: 'reasoning', instruction: `do ${key}`, after });
const goal = (costUsd: number, tasks = [sub('a'), sub('b')]) =>
  joined.crew.dispatch({
    ...{ type: 'supervisor', instruction: 'the goal', limits: { costUsd } },
    plan: { tasks, reduce: { by: 'orchestrator' as const, instruction: 'join' } },
  });
const child = (id: string, n: number) => id.replace(/0$/, String(n));
const limitOf = async (id: string) => (await readState(joined.bus, id))!.record.spec.limits.costUsd;

test('sub-tasks get slices that the goal’s commit sets aside, and money that they leave goes to later ones', async () => {
  await node();
  const id = await goal(15, [sub('a'), sub('b', 'a')]);
  const first = await crew.model.next();
  expect(await limitOf(child(id, 1))).toBe(5);
  expect((await readState(joined.bus, id))!.record.outUsd).toBe(5);
  reply(first, 'a');
  const second = await crew.model.next();
  // $13 are left, shared by this sub-task and the goal itself.
  expect(await limitOf(child(id, 2))).toBe(6.5);
  reply(second, 'b');
  reply(await crew.model.next(), 'both');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', usage: { costUsd: 6 } });
});

test('a sub-task that is added or run again gets a share of the money that is left', async () => {
  await node();
  const id = await goal(60);
  const [a] = [await crew.model.next(), await crew.model.next()];
  await joined.crew.steer(id, { type: 'add', task: sub('c') });
  await crew.model.next();
  expect([await limitOf(child(id, 1)), await limitOf(child(id, 2)), await limitOf(child(id, 3))]).toEqual([20, 20, 10]);
  await joined.crew.steer(id, { type: 'rerun', key: a!.texts('user')[0] === 'do a' ? 'a' : 'b' });
  await crew.model.next();
  // The stopped sub-task may or may not have returned its slice by now.
  expect(await limitOf(child(id, 4))).toBeGreaterThanOrEqual(5);
  const { slices, usage } = (await readState(joined.bus, id))!.record.snapshot!.context as unknown as SupervisorContext;
  const out = Object.values(slices).reduce((sum, each) => sum + each, 0);
  expect(out + totalUsage(usage).costUsd).toBeLessThanOrEqual(60);
});

test('money that an operator adds to a sub-task is new money, and its unspent part goes to the goal', async () => {
  await node();
  const id = await goal(6, [sub('a')]);
  const { question } = await statusWhere(joined.crew, child(id, 1), (status) => status.question !== null);
  expect(question!.text).toContain('may cost $4, and $3 of $3 is left');
  await joined.crew.steer(child(id, 1), { type: 'budget', costUsd: 2 });
  reply(await crew.model.next(), 'a');
  // The sub-task got $3 and then $2, and has cost $2: the reduction has more than it needs.
  reply(await crew.model.next(), 'all');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', usage: { costUsd: 4 }, toppedUpUsd: 2 });
});

test('a goal that can’t afford its own plan asks, and goes on after a top-up', async () => {
  await node();
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'the goal', limits: { costUsd: 3 } });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question).toMatchObject({
    kind: 'budget',
    text: expect.stringContaining('Making the plan on main may cost $4, and $3 of $3'),
  });
  const words = await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'go on' });
  expect(await finalReceipt(joined.crew, id, words)).toMatchObject({
    fate: 'returned',
    reason: expect.stringContaining('budget'),
  });
  const steps = await joined.crew.steer(id, { type: 'budget', steps: 3 });
  expect(await finalReceipt(joined.crew, id, steps)).toMatchObject({ fate: 'returned' });
  await joined.crew.steer(id, { type: 'budget', costUsd: 20 });
  const planning = await crew.model.next();
  reply(planning, JSON.stringify({ tasks: [{ ...sub('a'), needs: [] }], final: 'join' }));
  reply(await crew.model.next(), 'a');
  reply(await crew.model.next(), 'all');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', usage: { costUsd: 6 } });
});

test('a call to a backend without a price needs no extra commit', async () => {
  const commits = async (name: string, options: Partial<NodeOptions>) => {
    const one = await crew.node(await crew.join(name), options);
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'find it' });
    (await crew.model.next()).reply('found');
    await joined.crew.result(id, never);
    await one.drain();
    return (await readState(joined.bus, id))!.record.commit;
  };
  const free = await commits('free', {});
  const dear = await commits('dear', paid());
  expect(dear).toBeGreaterThan(free);
  expect(free).toBe(2);
});

test('a goal with an empty budget still starts its sub-task, which asks before it calls a model', async () => {
  await crew.node(joined, { rosterYaml: 'budgets: { goal_usd: 0 }' });
  const plan = { tasks: [sub('a')], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan });
  const { question, step } = await statusWhere(joined.crew, child(id, 1), ({ state }) => state === 'awaiting-steer');
  expect([question?.kind, step]).toEqual(['budget', 0]);
  await joined.crew.steer(child(id, 1), { type: 'budget', costUsd: 1 });
  (await crew.model.next()).reply('found');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
});
