/**
 * A worker loses its task during a call that writes, and the call ends after all: its outcome answers the question
 * (docs/adr/0016).
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { follow } from '../../../bus/log/follow.ts';
import { parseSteering } from '../../../bus/log/steering-log.ts';
import type { CallOutcome, Receipt, Status } from '../../../bus/messages.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { readState, stateStream } from '../../../bus/state/state-store.ts';
import type { Writes } from '../../../bus/writes.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool, type ToolRun } from '../../support/tools.ts';
import { rewrite } from '../../support/versioned-worker.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let book: HeldTool;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  book = new HeldTool('book', 'writes');
});
afterEach(() => crew.stop());

const leaseMs = 400;
const node = async (name: string) => {
  const kinds = [defineKind({ name: 'clerk', prompt: 'You keep the books.', tools: [book.tool] })];
  return crew.node(await crew.join(name), { kinds, types: ['clerk'], leaseMs });
};

/** A task whose worker is in the middle of `book` and does not know yet that somebody else has claimed the task. */
async function lostInCall(): Promise<{ id: string; run: ToolRun }> {
  const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book 12 EUR' });
  (await crew.model.next()).end([{ tool: 'book', args: { eur: 12 } }]);
  const run = await book.next();
  const { record } = (await readState(joined.bus, id))!;
  const thief = { node: 'thief', now: joined.bus.now, leaseMs };
  expect((await claim(joined.bus, { type: 'clerk', ticket: { id, run: record.run }, seq: record.ticketSeq }, thief)).kind).toBe(
    'run',
  );
  return { id, run };
}
const inDoubt = (id: string) => statusWhere(joined.crew, id, ({ question }) => question?.kind === 'in-doubt');
const answer = (id: string, { question }: Status, text: string) =>
  joined.crew.steer(id, { type: 'answer', question: question!.id, text });

/** Every outcome on the steering subject. */
async function outcomes(id: string): Promise<CallOutcome[]> {
  const { bus } = joined;
  const found: CallOutcome[] = [];
  for (let seq = 1; ; ) {
    const said = await bus.jsm.streams.getMessage(bus.subjects.logStream, {
      seq,
      next_by_subj: bus.subjects.of(id, 'steering'),
    } as never);
    if (!said) return found;
    const { message } = parseSteering(said);
    if (message?.type === 'outcome') found.push(message);
    seq = said.seq + 1;
  }
}
const receiptOf = (id: string, steer: string): Promise<Receipt> => finalReceipt(joined.crew, id, { steer, seq: 0 });
/** The next receipt that any outcome gets. */
const outcomeReceipt = async (id: string): Promise<Receipt | undefined> => {
  const of = ({ receipts }: Status) => receipts.find(({ kind }) => kind === 'outcome');
  return of(await statusWhere(joined.crew, id, (status) => of(status) !== undefined));
};
const post = (id: string, message: unknown) =>
  joined.bus.js.publish(joined.bus.subjects.of(id, 'steering'), JSON.stringify(message));

test('a worker that lost the task posts the outcome of its call, which answers the open question', async () => {
  const first = await node('first');
  const { id, run } = await lostInCall();
  // The next commit is refused, so the worker knows that it lost the task.
  await joined.crew.steer(id, { type: 'steer', text: 'quickly', urgency: 'next-step' });
  const other = await node('other');
  await inDoubt(id);
  expect(run.signal.aborted).toBe(false);
  run.returns('booked as no. 7');
  const told = await statusWhere(joined.crew, id, ({ note }) => note?.includes('posted the outcome of its call') === true);
  expect(told.receipts.filter(({ kind }) => kind === 'outcome')).toMatchObject([
    { kind: 'outcome', fate: 'accepted' },
    { kind: 'outcome', fate: 'applied' },
  ]);
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['booked as no. 7']);
  call.reply('Done');
  expect((await joined.crew.result(id, never)).output).toBe('Done');
  expect(book.runs).toHaveLength(1);
  await first.stop();
  await other.stop();
});

test('an outcome that is posted before the question comes up keeps the operator from being asked', async () => {
  await node('first');
  const { id, run } = await lostInCall();
  run.returns('booked as no. 8');
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['booked as no. 8']);
  call.reply('Done');
  await joined.crew.result(id, never);
  expect(book.runs).toHaveLength(1);
  const [outcome] = await outcomes(id);
  expect(await receiptOf(id, outcome!.id)).toMatchObject({ fate: 'applied', kind: 'outcome' });
});

test('a call that fails after the task was lost is reported as failed', async () => {
  await node('first');
  const { id, run } = await lostInCall();
  run.fails('the books are closed');
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['the books are closed']);
  call.reply('It is closed');
  await joined.crew.result(id, never);
  expect(await outcomes(id)).toMatchObject([{ failed: true, epoch: 1 }]);
});

test('a worker reports a call that never began if the commit that named it was stored without its knowledge', async () => {
  const { bus } = joined;
  const first = await crew.join('first');
  let isFirst = true;
  const send: Writes['send'] = async (stream, subject, payload, options) => {
    const written = await first.bus.writes.send(stream, subject, payload, options);
    if (isFirst && stream === stateStream(bus) && String(payload).includes('"tool":"book"')) {
      isFirst = false;
      const { id, t: run, q: seq } = JSON.parse(String(payload));
      const thief = { node: 'thief', now: bus.now, leaseMs };
      expect((await claim(bus, { type: 'clerk', ticket: { id, run }, seq }, thief)).kind).toBe('run');
      throw new Error('the reply was lost');
    }
    return written;
  };
  const kinds = [defineKind({ name: 'clerk', prompt: 'You keep the books.', tools: [book.tool] })];
  const wrapped = { ...first, bus: { ...first.bus, writes: { send } as Writes } };
  await crew.node(wrapped, { kinds, types: ['clerk'], leaseMs: 60_000 });
  const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book 12 EUR' });
  (await crew.model.next()).end([{ tool: 'book', args: { eur: 12 } }]);
  for await (const _ of follow(bus, bus.subjects.logStream, [bus.subjects.of(id, 'steering')], 1, never)) break;
  expect(await outcomes(id)).toMatchObject([{ from: 'first', failed: true, text: expect.stringMatching(/^not run: /) }]);
  expect(book.runs).toHaveLength(0);
});

test('nobody can forge an outcome, not even from the state record, and the true one is taken once', async () => {
  await node('first');
  const { id, run } = await lostInCall();
  await joined.crew.steer(id, { type: 'pause' });
  await inDoubt(id);
  const { inFlight } = (await readState(joined.bus, id))!.record;
  const { call, epoch, node: holder, proof } = inFlight!;
  expect({ epoch, holder }).toEqual({ epoch: 1, holder: 'first' });
  const forged = { type: 'outcome', call, epoch, text: 'never booked' };
  await post(id, { ...forged, id: 'f1', proof });
  await post(id, { ...forged, id: 'f2', proof: '' });
  await post(id, { ...forged, id: 'f3', proof, epoch: epoch + 1 });
  for (const steer of ['f1', 'f2', 'f3'])
    expect(await receiptOf(id, steer)).toMatchObject({
      fate: 'returned',
      reason: 'this outcome is not proven to be of the call that is in doubt',
    });
  await expect(joined.crew.steer(id, { ...forged, id: 'f4', proof } as never)).rejects.toMatchObject({ code: 'bad-steer' });

  run.returns('booked');
  await statusWhere(joined.crew, id, ({ question, paused }) => question === null && paused);
  const [, , , outcome] = await outcomes(id);
  await post(id, outcome);
  await post(id, { ...outcome, id: 'again' });
  expect(await receiptOf(id, 'again')).toMatchObject({ fate: 'returned', reason: 'no call of this task is in doubt' });
  await joined.crew.steer(id, { type: 'resume' });
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['booked']);
  next.reply('Done');
  await joined.crew.result(id, never);
});

test('an outcome that comes after the operator has answered is returned', async () => {
  await node('first');
  const { id, run } = await lostInCall();
  await joined.crew.steer(id, { type: 'steer', text: 'quickly', urgency: 'next-step' });
  const asked = await inDoubt(id);
  await answer(id, asked, 'it ran');
  const call = await crew.model.next();
  const late = outcomeReceipt(id);
  run.returns('booked');
  expect(await late).toMatchObject({ fate: 'returned', reason: 'no call of this task is in doubt' });
  call.reply('Done');
  expect((await joined.crew.result(id, never)).output).toBe('Done');
});

test('the outcome of an earlier run is never taken for that of a later one', async () => {
  await node('first');
  const { id, run } = await lostInCall();
  await joined.crew.steer(id, { type: 'steer', text: 'quickly', urgency: 'next-step' });
  const asked = await inDoubt(id);
  // As if the time had passed for which the lost worker may still be running the call.
  await rewrite(joined, id, () => ({ doubtfulUntil: null }));
  await answer(id, asked, 'run it again');
  const second = await book.next();
  const { record } = (await readState(joined.bus, id))!;
  expect(record.inFlight).toMatchObject({ epoch: record.epoch });
  // The second run is lost as well. Then both calls end.
  await claim(
    joined.bus,
    { type: 'clerk', ticket: { id, run: record.run }, seq: record.ticketSeq },
    { node: 'thief', now: joined.bus.now, leaseMs },
  );
  await joined.crew.steer(id, { type: 'pause' });
  await inDoubt(id);
  const early = outcomeReceipt(id);
  run.returns('booked the first time');
  expect(await early).toMatchObject({
    fate: 'returned',
    reason: 'this outcome is not proven to be of the call that is in doubt',
  });
  second.returns('booked the second time');
  await statusWhere(joined.crew, id, ({ question, paused }) => question === null && paused);
  await joined.crew.steer(id, { type: 'resume' });
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['booked the second time']);
  call.reply('Done');
  await joined.crew.result(id, never);
});

test('a supervisor, an ended task and an unknown task return an outcome', async () => {
  await crew.node(joined, { quietMs: 20 });
  crew.model.answer((call) => call.reply('ok'));
  const forged = { type: 'outcome', id: 'f', call: 's1-0', epoch: 1, proof: 'x', text: 'booked' };
  const ended = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Quick' });
  await joined.crew.result(ended, never);
  const plan = { tasks: [], reduce: { by: 'concat' as const } };
  const goal = await joined.crew.dispatch({ type: 'supervisor', instruction: 'Nothing', plan });
  for (const id of [ended, goal, 'nobody.0']) {
    await post(id, forged);
    expect(await receiptOf(id, 'f')).toMatchObject({ fate: 'returned', kind: 'outcome' });
  }
});
