/**
 * Checkpoints of other versions (docs/adr/0015) are migrated, left to a node that knows them, or asked about, and never dropped.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostUnrestorable } from '../../../actors/host/unrestorable.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { Question } from '../../../bus/messages.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { claimTickets, enqueue } from '../../../bus/queue/task-queue.ts';
import { readState } from '../../../bus/state/state-store.ts';
import type { Checkpoint } from '../../../machines/charts.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { beforeDeadline } from '../../support/deadline.ts';
import { rewrite, workerOf } from '../../support/versioned-worker.ts';
import { finalReceipt, never, receiptsOf, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
const stops: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await crew.stop();
});

type Versioned = Parameters<typeof workerOf>[2];
async function start(options: Versioned = {}, at = joined): Promise<{ stop(): Promise<void> }> {
  const worker = await workerOf(crew, at, options);
  stops.push(() => worker.drain());
  return { stop: () => worker.drain() };
}

const asksAbout = (id: string) => statusWhere(joined.crew, id, ({ question }) => question?.kind === 'checkpoint');
const answer = (id: string, question: Question | null, text: string) =>
  joined.crew.steer(id, { type: 'answer', question: question!.id, text });
const version = (n: number) => ({ machine: { id: 'sub-agent', version: n } });

/** A task that has found something and waits for its operator. */
async function parkedTask(): Promise<{ id: string; question: Question }> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Book a table' });
  (await crew.model.next()).say('The Ox is open.').end([{ tool: 'ask_operator', args: { question: 'For how many?' } }]);
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  return { id, question: question! };
}

test('a task without a migration for its checkpoint asks, and `restart` keeps findings and messages', async () => {
  await start();
  const { id } = await parkedTask();
  const queued = await joined.crew.steer(id, { type: 'steer', text: 'by the window' });
  await statusWhere(joined.crew, id, ({ receipts }) => receipts.some(({ fate }) => fate === 'queued'));
  await rewrite(joined, id, () => version(0));
  const refused = await joined.crew.steer(id, { type: 'steer', text: 'never mind' });

  const asked = await asksAbout(id);
  expect(asked).toMatchObject({ state: 'awaiting-steer', question: { choices: ['restart', 'leave'] } });
  expect(asked.question!.text).toContain('its checkpoint is of sub-agent 0, and no migration leads to sub-agent 1');
  expect(await finalReceipt(joined.crew, id, refused)).toMatchObject({ fate: 'returned' });
  expect((await readState(joined.bus, id))?.record).toMatchObject({ phase: 'parked', ...version(0) });

  const wrong = await answer(id, asked.question, 'well');
  expect(await finalReceipt(joined.crew, id, wrong)).toMatchObject({ fate: 'returned', reason: 'answer `restart` or `leave`' });
  const restart = await answer(id, asked.question, 'Restart');
  const call = await crew.model.next();
  // One message on the wire: the client joins consecutive messages of one role.
  expect(call.texts('user').join()).toMatch(/The Ox is open\.\s+Book a table\s+by the window$/);
  call.reply('Booked by the window');
  expect(await joined.crew.result(id, never)).toMatchObject({ output: 'Booked by the window', usage: { inputTokens: 20 } });
  expect((await receiptsOf(joined.crew, id, restart)).map(({ fate }) => fate)).toEqual(['accepted', 'applied']);
  expect((await receiptsOf(joined.crew, id, queued)).map(({ fate, step }) => [fate, step])).toEqual([
    ['accepted', undefined],
    ['queued', undefined],
    ['applied', 2],
  ]);
});

test('the question about a task that was acting, and its new beginning, both say that the call may have happened', async () => {
  await start();
  const { id } = await parkedTask();
  await rewrite(joined, id, ({ last }) => ({
    ...version(0),
    last: { ...last!, question: null, state: 'acting', doing: 'book {"seats":4}' },
  }));
  await joined.crew.steer(id, { type: 'steer', text: 'well?' });
  const { question } = await asksAbout(id);
  expect(question!.text).toContain('it was running book {"seats":4}; that may have happened');
  await answer(id, question, 'restart');
  expect((await crew.model.next()).texts('user')[0]).toContain('book {"seats":4}');
});

test('`leave` closes the question, `resume` asks again, and a cancel ends the task with its findings', async () => {
  await start();
  const { id } = await parkedTask();
  await rewrite(joined, id, () => version(0));
  await joined.crew.steer(id, { type: 'pause' });
  const { question } = await asksAbout(id);
  const leave = await answer(id, question, 'leave');
  expect(await finalReceipt(joined.crew, id, leave)).toMatchObject({ fate: 'applied' });
  const left = (await joined.crew.status(id))!;
  expect(left).toMatchObject({ state: 'awaiting-steer', paused: true, question: null });
  expect(left.note).toContain('left for a node that knows its checkpoint');
  const late = await answer(id, question, 'restart');
  expect(await finalReceipt(joined.crew, id, late)).toMatchObject({ reason: 'that question is not open' });

  const resume = await joined.crew.steer(id, { type: 'resume' });
  expect(await finalReceipt(joined.crew, id, resume)).toMatchObject({ fate: 'applied' });
  const again = (await joined.crew.status(id))!.question!;
  expect(again).toMatchObject({ kind: 'checkpoint' });
  expect(again.id).not.toBe(question!.id);

  const cancel = await joined.crew.steer(id, { type: 'cancel' });
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'cancelled', salvage: { remaining: 'Book a table' } });
  expect(result.salvage.findings).toEqual(['The Ox is open.']);
  expect((await receiptsOf(joined.crew, id, cancel)).map(({ fate }) => fate)).toEqual(['accepted', 'applied']);
});

test.each([
  ['of another machine', { machine: { id: 'dreamer', version: 1 } }, 'is of the machine dreamer'],
  ['in a state that the chart does not have', 'dreaming', "State 'dreaming' does not exist"],
  ['without what every checkpoint has', null, "can't be restored"],
])('a checkpoint %s asks', async (_, wrong, why) => {
  await start();
  const { id } = await parkedTask();
  await rewrite(joined, id, ({ snapshot }) => {
    if (wrong === null) return { snapshot: { ...snapshot, context: { steers: 'none' } } };
    return typeof wrong === 'string' ? { snapshot: { ...snapshot, value: wrong } } : wrong;
  });
  await joined.crew.steer(id, { type: 'pause' });
  const { question } = await asksAbout(id);
  expect(question!.text).toContain(why);
  await answer(id, question, 'restart');
  (await crew.model.next()).reply('Booked');
  expect((await joined.crew.result(id, never)).output).toBe('Booked');
});

test('an older checkpoint is migrated step by step, the operator is told, and the task goes on where it was', async () => {
  const first = await start();
  const { id, question } = await parkedTask();
  await first.stop();
  const note = (text: string) => (checkpoint: Checkpoint) => {
    const context = checkpoint.context as { messages: unknown[] };
    return { ...checkpoint, context: { ...context, messages: [...context.messages, { role: 'user', text }] } };
  };
  await start({ version: 3, migrations: { 1: note('one'), 2: note('two') } });
  await joined.crew.steer(id, { type: 'answer', question: question.id, text: 'four' });
  const told = await statusWhere(joined.crew, id, (status) => status.note?.includes('migrated') === true);
  expect(told.note).toContain('its checkpoint was migrated from sub-agent 1 to 3');
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['Book a table', 'one\n\ntwo']);
  call.reply('Booked for four');
  expect((await joined.crew.result(id, never)).output).toBe('Booked for four');
  expect((await readState(joined.bus, id))?.record.machine).toEqual({ id: 'sub-agent', version: 3 });
});

test('a migration that fails makes the task ask instead of failing it', async () => {
  const first = await start();
  const { id } = await parkedTask();
  await first.stop();
  const broken = () => {
    throw new Error('no such field');
  };
  await start({ version: 2, migrations: { 1: broken } });
  await joined.crew.steer(id, { type: 'pause' });
  expect((await asksAbout(id)).question!.text).toContain('could not be migrated to sub-agent 2: no such field');
});

test('a newer checkpoint is left to a node that knows it', async () => {
  const newer = await start({ version: 2 });
  const { id, question } = await parkedTask();
  await newer.stop();
  const old = await crew.join('old');
  await start({ leaveMs: 300 }, old);
  await joined.crew.steer(id, { type: 'answer', question: question.id, text: 'four' });
  const fresh = await crew.join('fresh');
  await start({ version: 2 }, fresh);
  (await crew.model.next()).reply('Booked for four');
  expect((await joined.crew.result(id, never)).output).toBe('Booked for four');
  expect((await readState(joined.bus, id))?.record).toMatchObject({ node: 'fresh', epoch: 2 });
});

test('a task whose newer checkpoint no node knows asks its operator, and goes on by itself when such a node joins', async () => {
  const newer = await start({ version: 2 });
  const { id, question } = await parkedTask();
  await newer.stop();
  const old = await start({ leaveMs: 20, retryMs: 500 });
  const early = await joined.crew.steer(id, { type: 'steer', text: 'for eight' });
  const asked = await asksAbout(id);
  expect(asked.question!.text).toContain('its checkpoint is of sub-agent 2, and this node knows sub-agent up to 1');
  expect(await finalReceipt(joined.crew, id, early)).toMatchObject({ fate: 'returned' });
  await old.stop();

  await start({ version: 2 });
  const goesOn = await statusWhere(joined.crew, id, ({ note }) => note?.includes('this node knows its checkpoint') === true);
  expect(goesOn.question?.id).toBe(question.id);
  const stale = await answer(id, asked.question, 'restart');
  expect(await finalReceipt(joined.crew, id, stale)).toMatchObject({ reason: 'that question is not open' });
  await joined.crew.steer(id, { type: 'answer', question: question.id, text: 'four' });
  (await crew.model.next()).reply('Booked for four');
  expect((await joined.crew.result(id, never)).output).toBe('Booked for four');
});

test('a task with an unknown checkpoint ends at its deadline like any other', async () => {
  await start();
  crew.model.answer((call) => call.call('ask_operator', { question: 'For how many?' }));
  const id = await beforeDeadline(joined.bus.now, async (deadlineAt) => {
    const task = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Book a table', deadlineAt });
    const parked = await statusWhere(joined.crew, task, (status) => status.question !== null || status.outcome !== null);
    if (parked.outcome) return null;
    await rewrite(joined, task, () => version(0));
    await joined.crew.steer(task, { type: 'pause' });
    const asked = await statusWhere(
      joined.crew,
      task,
      ({ question, outcome }) => question?.kind === 'checkpoint' || outcome !== null,
    );
    return asked.outcome ? null : task;
  });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'deadline' } });
});

/** Claims one ticket as a worker does, runs `work`, and dies: the ticket is never acked. */
async function dieAfter(work: (stored: Parameters<typeof hostUnrestorable>[1]) => Promise<unknown>): Promise<void> {
  const { bus } = joined;
  const done = Promise.withResolvers<void>();
  const now = () => new Date();
  const claimer = await claimTickets(bus, { type: 'reasoning', queue: 'wake', slots: 1, leaseMs: 300 }, async (delivery) => {
    const claimed = await claim(bus, delivery, { node: 'dead', now, leaseMs: 300 });
    if (claimed.kind === 'run') await work(claimed.stored);
    done.resolve();
  });
  await done.promise;
  await claimer.stop();
}
const settle = (stored: Parameters<typeof hostUnrestorable>[1]) =>
  hostUnrestorable(joined.bus, stored, { why: 'its checkpoint is of sub-agent 0', now: () => new Date(), retryMs: 60_000 });

test('a worker that dies right after the question or right after `restart` loses and repeats nothing', async () => {
  const first = await start({ leaseMs: 300 });
  const { id } = await parkedTask();
  await first.stop();
  await rewrite(joined, id, () => version(0));
  const steer = await joined.crew.steer(id, { type: 'steer', text: 'hello?' });
  const { bus } = joined;
  const { record } = (await readState(bus, id))!;
  await enqueue(bus, 'reasoning', 'wake', { id, run: record.run + 1 });
  await dieAfter(settle);
  const { question } = (await joined.crew.status(id))!;
  expect(question).toMatchObject({ kind: 'checkpoint' });

  const restart = await answer(id, question, 'restart');
  await enqueue(bus, 'reasoning', 'wake', { id, run: record.run + 2 });
  await dieAfter(settle);
  await start({ leaseMs: 300 });
  (await crew.model.next()).reply('Booked');
  expect((await joined.crew.result(id, never)).output).toBe('Booked');
  expect((await receiptsOf(joined.crew, id, steer)).map(({ fate }) => fate)).toEqual(['returned']);
  expect((await receiptsOf(joined.crew, id, restart)).map(({ fate }) => fate)).toEqual(['accepted', 'applied']);
  expect(crew.model.calls).toHaveLength(2);
});

test('a goal that begins again keeps its results, stops running sub-tasks and goes on with the next child number', async () => {
  const node = await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const worker = await crew.join('worker');
  await crew.node(worker, { types: ['reasoning'] });
  const task = (key: string) => ({ key, type: 'reasoning', instruction: `Work on ${key}`, after: [] });
  const plan = { tasks: [task('a'), task('b')], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan });
  const calls = [await crew.model.next(), await crew.model.next()];
  const [a, b] = calls.sort((x, y) => (x.texts('user')[0]! < y.texts('user')[0]! ? -1 : 1));
  a!.reply('a is done');
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.returned === 1);
  await node.stop();
  await rewrite(joined, id, () => ({ machine: { id: 'supervisor', version: 0 } }));
  const again = await crew.join('again');
  await crew.node(again, { types: ['supervisor'], quietMs: 20 });
  const { question, subTasks } = await asksAbout(id);
  expect(subTasks).toMatchObject({ returned: 1, running: 1 });
  await answer(id, question, 'restart');
  expect(await b!.closed).toBe(true);
  const anew = await crew.model.next();
  expect(anew.texts('user')).toEqual(['Work on b']);
  anew.reply('b is done');
  const { output } = await joined.crew.result(id, never);
  expect(output).toContain('a is done');
  expect(output).toContain('b is done');
  const root = id.replace(/0$/, '');
  const outcomes = await Promise.all(['1', '2', '3'].map((n) => joined.crew.peekResult(root + n)));
  expect(outcomes.map((result) => result?.outcome).sort()).toEqual(['cancelled', 'completed', 'completed']);
  expect(crew.model.calls).toHaveLength(3);
});
