/** Defects that the model of the protocol found in this implementation, each tried on the real bus. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { returnLate, returnUnborn } from '../../bus/log/late-steers.ts';
import { flush, parseStatus } from '../../bus/log/projection.ts';
import type { Status } from '../../bus/messages.ts';
import { claim } from '../../bus/queue/claim.ts';
import { readState } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never, receiptsOf, statusWhere } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());
const now = () => new Date();
const at = () => now().toISOString();

async function statusesOf(id: string): Promise<Status[]> {
  const { bus } = joined;
  const found: Status[] = [];
  for (let seq = 1; ; ) {
    const message = await bus.jsm.streams.getMessage(bus.subjects.logStream, {
      seq,
      next_by_subj: bus.subjects.of(id, 'status'),
    } as never);
    if (!message) return found;
    const status = parseStatus(message.data);
    if (status) found.push(status);
    seq = message.seq + 1;
  }
}

test('of two claims of one delivery in one process only one holds the task', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const who = { node: 'me', now, leaseMs: 1_000 };
  const [a, b] = await Promise.all([
    claim(joined.bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 1 }, who),
    claim(joined.bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 1 }, who),
  ]);
  const epochs = [a, b].map((each) => each.kind === 'run' && each.stored.record.epoch);
  expect(new Set(epochs).size).toBe(2);
});

test('two wakers that return late steers of a task return each steer once', async () => {
  const node = await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await joined.crew.result(id, never);
  await node.stop();
  const sent = await Promise.all(['one', 'two', 'three'].map((text) => joined.crew.steer(id, { type: 'steer', text })));
  await Promise.all([returnLate(joined.bus, id, at), returnLate(joined.bus, id, at), returnLate(joined.bus, id, at)]);
  for (const each of sent) expect((await receiptsOf(joined.crew, id, each)).map(({ fate }) => fate)).toEqual(['returned']);
  const finals = (await statusesOf(id)).flatMap(({ receipts }) => receipts).filter(({ fate }) => fate === 'returned');
  expect(finals).toHaveLength(3);
});

test('a copy of an applied steer is not returned after the end of the task', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  const sent = await joined.crew.steer(id, { type: 'steer', id: 's', text: 'y' });
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  joined.bus.nc.publish(joined.bus.subjects.of(id, 'steering'), JSON.stringify({ type: 'steer', id: 's', text: 'y' }));
  const other = await joined.crew.steer(id, { type: 'steer', id: 'other', text: 'z' });
  await finalReceipt(joined.crew, id, other);
  const finals = (await statusesOf(id))
    .flatMap(({ receipts }) => receipts)
    .filter(({ steer, fate }) => steer === sent.steer && fate !== 'accepted' && fate !== 'queued');
  expect(finals.map(({ fate }) => fate)).toEqual(['applied']);
});

test('a steer to a sub-task that is not planned yet is returned, and the sub-task does not take it again', async () => {
  await crew.node(joined, { quietMs: 20 });
  const plan = {
    tasks: [
      { key: 'a', type: 'reasoning', instruction: 'first' },
      { key: 'b', type: 'reasoning', instruction: 'second', after: ['a'] },
    ],
    reduce: { by: 'concat' as const },
  };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan });
  const first = await crew.model.next();
  const child = id.replace(/0$/, '2');
  const early = await joined.crew.steer(child, { type: 'steer', text: 'too early' });
  expect(await finalReceipt(joined.crew, child, early)).toMatchObject({ fate: 'returned', reason: `there is no task ${child}` });
  expect((await joined.crew.tasks()).map((task) => task.id)).not.toContain(child);
  first.reply('one');
  const second = await crew.model.next();
  expect(second.texts('user').join()).not.toContain('too early');
  second.reply('two');
  expect((await joined.crew.result(id, never)).output).toContain('two');
  const finals = (await statusesOf(child)).flatMap(({ receipts }) => receipts).filter(({ steer }) => steer === early.steer);
  expect(finals.map(({ fate }) => fate)).toEqual(['returned']);
});

test('several wakers return a steer to an unknown task once', async () => {
  const sent = await joined.crew.steer('nobody.3', { type: 'steer', text: 'hello?' });
  await Promise.all([1, 2, 3].map((n) => returnUnborn(joined.bus, 'nobody.3', `node ${n}`, at)));
  const finals = (await statusesOf('nobody.3')).flatMap(({ receipts }) => receipts);
  expect(finals.map(({ steer, fate }) => [steer, fate])).toEqual([[sent.steer, 'returned']]);
});

test('a late flush adds nothing behind newer statuses', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await statusWhere(joined.crew, id, ({ state }) => state === 'thinking');
  const call = await crew.model.next();
  const old = (await readState(joined.bus, id))!.record;
  call.reply('done');
  await joined.crew.result(id, never);
  const before = (await statusesOf(id)).map(({ commit }) => commit);
  // As if a worker were frozen before its flush until the broker has forgotten the message ids.
  const forgotten = { ...old, outbox: old.outbox.map((status) => ({ ...status, epoch: status.epoch })), statusSeq: 0 };
  await flush({ ...joined.bus, js: withoutMessageIds(joined) }, forgotten);
  expect((await statusesOf(id)).map(({ commit }) => commit)).toEqual(before);
});

const withoutMessageIds = ({ bus }: CrewSession): typeof bus.js =>
  new Proxy(bus.js, {
    get: (js, key) =>
      key === 'publish'
        ? (subject: string, data: Uint8Array, { msgID: _, ...options }: { msgID?: string }) => js.publish(subject, data, options)
        : Reflect.get(js, key),
  });

test('a parked task survives any number of wake-ups that change nothing', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  for (let n = 0; n < 8; n++) {
    const bad = await joined.crew.steer(id, { type: 'steer', text: 'x', expect: { step: 99 } });
    expect((await finalReceipt(joined.crew, id, bad)).fate).toBe('returned');
  }
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
  (await crew.model.next()).reply('ok');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
});
