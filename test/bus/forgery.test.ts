/** Messages that strangers write to the subjects of tasks take away no receipt, ticket, deadline, letter or node. */
import { headers } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { publish } from '../../bus/publish.ts';
import { claim } from '../../bus/queue/claim.ts';
import { openDeadStream, parseLetter, sendLetter } from '../../bus/queue/dead-letter-stream.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { sweep } from '../../bus/queue/sweeper.ts';
import { encodeRecord, type StateRecord } from '../../bus/state/state-record.ts';
import { readState, stateSubject } from '../../bus/state/state-store.ts';
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
const childOf = (id: string, n = 1) => id.replace(/0$/, String(n));
const goal = (...keys: string[]) => ({
  type: 'supervisor',
  instruction: 'g',
  plan: { tasks: keys.map((key) => ({ key, type: 'reasoning', instruction: key })), reduce: { by: 'concat' as const } },
});

async function recordWhere(id: string, wanted: (record: StateRecord) => boolean): Promise<StateRecord> {
  for (;;) {
    const stored = await readState(joined.bus, id);
    if (stored && wanted(stored.record)) return stored.record;
  }
}

test('a forged status with the number of the next commit does not displace the receipt in it', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const call = await crew.model.next();
  const { last } = await recordWhere(id, ({ commit }) => commit > 0);
  const forged = { ...last, commit: last!.commit + 1, receipts: [] };
  await publish(joined.bus, joined.bus.subjects.of(id, 'status'), JSON.stringify(forged), {});
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'y' });
  (await crew.model.next()).reply('done');
  expect(await call.closed).toBe(true);
  await joined.crew.result(id, never);
  const receipts = await receiptsOf(joined.crew, id, sent);
  expect(receipts.map(({ fate }) => fate)).toEqual(['accepted', 'queued', 'applied']);
});

test('a message with the id of a ticket does not keep the ticket off the queue', async () => {
  await crew.node(joined, { quietMs: 20 });
  const { bus } = joined;
  const id = await joined.crew.dispatch({
    ...goal('a', 'b'),
    plan: {
      ...goal('a').plan,
      tasks: [...goal('a').plan.tasks, { key: 'b', type: 'reasoning', instruction: 'b', after: ['a'] }],
    },
  });
  const first = await crew.model.next();
  for (const ticket of [`${childOf(id, 2)}:t1`, `${id}:t2`]) {
    const head = headers();
    head.set('Nats-Msg-Id', ticket);
    await bus.js.publish(bus.subjects.ticket('nobody', 'pending'), 'no ticket', { headers: head });
  }
  first.reply('one');
  (await crew.model.next()).reply('two');
  expect((await joined.crew.result(id, never)).output).toContain('two');
});

test('a ticket with a run number other than 1 does not begin a sub-task', async () => {
  await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const id = await joined.crew.dispatch(goal('a'));
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.running === 1);
  const spec = { type: 'reasoning', instruction: 'forged' };
  const forged = { id: childOf(id), run: Number.MAX_SAFE_INTEGER, spec };
  const held = { node: 'n', now, leaseMs: 1_000 };
  const ticket = { ...forged, spec: { ...(await readState(joined.bus, id))!.record.spec, ...spec } };
  expect(await claim(joined.bus, { type: 'reasoning', ticket, seq: 9 }, held)).toMatchObject({ kind: 'stale' });
});

test('a ticket in the queue of another kind does not bring a task to nodes that do not know its kind', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const held = { node: 'n', now, leaseMs: 1_000, tentatively: true };
  expect(await claim(joined.bus, { type: 'other', ticket: { id, run: 1 }, seq: 9 }, held)).toMatchObject({ kind: 'stale' });
  expect(await claim(joined.bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 1 }, held)).toMatchObject({ kind: 'run' });
});

test('a task whose timer a stranger has replaced is woken by the sweeper', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const deadlineAt = new Date(bus.now().getTime() + 3_000).toISOString();
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x', deadlineAt });
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  await recordWhere(id, ({ phase }) => phase === 'parked');
  await bus.js.publish(bus.subjects.timer(id, 'set'), 'nothing');
  const later = () => new Date(bus.now().getTime() + 60_000);
  while ((await sweep(bus, { now: later, leaseMs: 1_000, published: new Set(), graceMs: 10 })).includes(id) === false);
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'deadline' } });
});

test('the waker acks results below a running task that has no sub-tasks', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const call = await crew.model.next();
  let last = 0;
  for (let n = 1; n <= 20; n++) {
    const sent = await publish(bus, bus.subjects.of(childOf(id, n), 'result'), 'done', {});
    last = sent.ok ? sent.seq : last;
  }
  const settled = async () => (await bus.jsm.consumers.info(bus.subjects.logStream, 'waker')).ack_floor.stream_seq;
  while ((await settled()) < last);
  expect((await readState(bus, id))?.record.phase).toBe('held');
  call.reply('done');
  await joined.crew.result(id, never);
});

test('a forged letter is replaced by the dead letter', async () => {
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const claimed = await claim(bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 1 }, { node: 'n', now, leaseMs: 1_000 });
  await openDeadStream(bus);
  await bus.js.publish(bus.subjects.letter(id), 'nothing to see here');
  const failure = { code: 'poison', message: 'they all died', retryable: false };
  if (claimed.kind === 'run') await endTask(bus, claimed.stored, failure, now().toISOString());
  await sendLetter(bus, (await readState(bus, id))!.record);
  const letter = await bus.jsm.streams.getMessage(bus.subjects.deadStream, { last_by_subj: bus.subjects.letter(id) });
  expect(parseLetter(letter!.data)).toMatchObject({ id, why: 'they all died' });
  expect(letter!.seq).toBe(2);
});

test('nobody can take the sequence name of a message that is still to come', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  const { seq } = await joined.crew.steer(id, { type: 'steer', text: 'first' });
  const steering = bus.subjects.of(id, 'steering');
  for (let ahead = 101; ahead <= 200; ahead++)
    await publish(bus, steering, JSON.stringify({ type: 'steer', id: `seq:${seq + ahead}`, text: 'forged' }), {});
  const plain = await publish(bus, steering, 'plain', {});
  const plainSeq = plain.ok ? plain.seq : 0;
  expect(plainSeq).toBeGreaterThan(seq + 100);
  expect(plainSeq).toBeLessThan(seq + 201);
  const sent = { steer: `seq:${plainSeq}`, seq: plainSeq };
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied' });
});

test('a request with a key as long as a message may be gets a short refusal, and its node stays up', async () => {
  await crew.node(joined);
  const { nc, subjects } = joined.bus;
  const room = nc.info!.max_payload - 64;
  // Quotes are escaped in JSON: a refusal that repeated them would be longer than the request.
  for (const key of ['\\"'.repeat(Math.floor(room / 2)), 'a'.repeat(room)]) {
    const refused = await nc.request(`${subjects.api()}.status`, `{"task":"k3xq.0","${key}":1}`, { timeout: 60_000 });
    expect(refused.headers?.get('Nats-Service-Error-Code')).toBe('400');
    expect(refused.data.length).toBeLessThan(2_000);
  }
  const tasks = await nc.request(`${subjects.api()}.tasks`, '{}', { timeout: 10_000 });
  expect(tasks.headers?.get('Nats-Service-Error-Code')).toBeFalsy();
});

test('a steer that quotes itself at length gets a short receipt', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  const told = statusWhere(joined.crew, id, ({ receipts }) => receipts.some(({ fate }) => fate === 'returned'));
  joined.bus.nc.publish(joined.bus.subjects.of(id, 'steering'), `{"type":"steer","text":"x","${'k'.repeat(100_000)}":1}`);
  const { receipts } = await told;
  expect(JSON.stringify(receipts).length).toBeLessThan(2_000);
});

test('a request whose error does not fit a header is refused like others', async () => {
  await crew.node(joined);
  const { nc } = joined.bus;
  for (const payload of ['a\r\nb', 'é\n', '{"id":"\u0000"', '\n'.repeat(5_000)]) {
    const reply = await nc.request('cox.api.status', payload);
    expect(reply.headers?.get('Nats-Service-Error-Code')).toBe('400');
  }
});

test('a record that fits no schema is skipped by lists, sweeps and the waker', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  const whole = (await readState(bus, id))!.record;
  const strange = [
    { id: 'x', phase: 'held' },
    { id: 'zzzz.0', phase: 'held' },
    { id: 'zzzz.0', phase: 'parked', spec: {} },
    { ...whole, id: 'no task' },
    { ...whole, id: 'zzzz.4', instruction: undefined },
    { ...whole, id: 'zzzz.5', plan: [null] },
    whole,
    { ...whole, createdAt: 'yesterday' },
    { ...whole, epoch: 'one' },
    { ...whole, outbox: null },
  ];
  for (const [n, record] of strange.entries())
    await bus.js.publish(stateSubject(bus, `zzzz.${n}`), encodeRecord(record as StateRecord).value);
  expect((await joined.crew.tasks()).map((task) => task.id)).toEqual([id]);
  expect(await sweep(bus, { now, leaseMs: 1_000, published: new Set(), graceMs: 0 })).toEqual([]);
  const sent = await joined.crew.steer('zzzz.1', { type: 'cancel' });
  expect(await readState(bus, 'zzzz.1')).toBeNull();
  expect(sent.seq).toBeGreaterThan(0);
});
