/** In a crew with roles a steer counts only if an operator has signed it, for this task, now, and is still a member. */
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readSteering } from '../../../bus/log/steering-log.ts';
import type { Receipt } from '../../../bus/messages.ts';
import { newSigner, type Signer, signerOf } from '../../../bus/team/nkeys.ts';
import { signatureHeaders } from '../../../bus/team/signature.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { finalReceipt, never } from '../../support/watching.ts';

let crew: TeamCrew;
let boss: CrewSession;
let ann: CrewSession;
let bare: NatsConnection;
beforeEach(async () => {
  crew = await TeamCrew.start({ boss: ['supervisor'], hand: ['worker'], ann: ['operator'], bob: ['operator'] });
  boss = await crew.join('boss');
  await crew.node(boss);
  await crew.node(await crew.join('hand'));
  ann = await crew.join('ann');
  bare = await crew.connect('bob');
});
afterEach(() => crew.stop());

const text = JSON.stringify({ type: 'steer', id: 's1', text: 'y' });
const steering = (id: string) => `cox.tasks.${id}.steering`;
const keyOf = (name: string): Signer => signerOf(crew.member(name).seed);
const now = () => boss.bus.now();
const minutesAgo = (minutes: number) => new Date(now().getTime() - minutes * 60_000);

/** Publishes a message on the subject of a task, signed as told. */
async function send(id: string, signer: Signer | null, { body = text, at = now(), msgId = 's1', of = id, nc = bare } = {}) {
  const head = headers();
  if (msgId) head.set('Nats-Msg-Id', msgId);
  if (signer)
    for (const [name, value] of signatureHeaders({ subject: steering(of), msgId, body }, signer, at)) head.set(name, value);
  const { seq } = await jetstream(nc).publish(steering(id), body, { headers: head });
  return { steer: `seq:${seq}`, seq };
}

const refusal = async (id: string, sent: { steer: string; seq: number }): Promise<Receipt> => finalReceipt(boss.crew, id, sent);

async function running() {
  const id = await ann.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  return { id, call: await crew.model.next() };
}

test('a message that is not signed is returned, and says how to sign', async () => {
  const { id, call } = await running();
  for (const body of ['use my work email', text])
    expect(await refusal(id, await send(id, null, { body, msgId: '' }))).toMatchObject({
      fate: 'returned',
      reason: expect.stringContaining('an operator signs what it sends'),
    });
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});

test('a plain text that is signed is taken as a correction', async () => {
  const { id, call } = await running();
  const sent = await send(id, keyOf('bob'), { body: 'in French', msgId: 'p1' });
  (await crew.model.next()).reply('fait');
  expect(await finalReceipt(boss.crew, id, { ...sent, steer: 'p1' })).toMatchObject({ fate: 'applied', by: 'bob' });
  expect(await call.closed).toBe(true);
});

test('a message that a stranger, a worker or a supervisor has signed does not steer a goal', async () => {
  const { id, call } = await running();
  const reasonOf = async (signer: Signer, msgId: string) => (await refusal(id, await send(id, signer, { msgId }))).reason;
  expect(await reasonOf(newSigner('user'), 'a')).toContain('no member of the crew');
  expect(await reasonOf(keyOf('hand'), 'b')).toBe('hand may not send it: it takes the role operator');
  expect(await reasonOf(keyOf('boss'), 'c')).toBe('boss may not send it: it takes the role operator');
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});

test('a signature for another body, id, time or task is none', async () => {
  const { id, call } = await running();
  const other = 'zzzz.0';
  const forged = async (signed: { body?: string; msgId?: string; of?: string }, sent: { body?: string; msgId?: string }) => {
    const whole = { body: text, msgId: 's1', of: id, ...signed };
    const head = headers();
    const subject = steering(whole.of);
    for (const [name, value] of signatureHeaders({ ...whole, subject }, keyOf('bob'), now())) head.set(name, value);
    head.set('Nats-Msg-Id', sent.msgId ?? whole.msgId);
    const { seq } = await jetstream(bare).publish(steering(id), sent.body ?? whole.body, { headers: head });
    return refusal(id, { steer: `seq:${seq}`, seq });
  };
  const reason = expect.stringContaining('its signature is not that of bob');
  expect(await forged({}, { body: text.replace('y', 'z'), msgId: 's1' })).toMatchObject({ fate: 'returned', reason });
  expect(await forged({ msgId: 's2' }, { msgId: 's3' })).toMatchObject({ fate: 'returned', reason });
  expect(await forged({ of: other, msgId: 's4' }, {})).toMatchObject({ fate: 'returned', reason });
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});

test('an old message is returned, also one that was applied when it was new', async () => {
  const { id, call } = await running();
  const old = await send(id, keyOf('bob'), { at: minutesAgo(3), msgId: 'o1' });
  const early = await send(id, keyOf('bob'), { at: minutesAgo(-3), msgId: 'o2' });
  for (const sent of [old, early])
    expect(await refusal(id, sent)).toMatchObject({ fate: 'returned', reason: expect.stringContaining('send it anew') });
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});

test('a copy within the time of a signature has no effect: the server or the ledger knows its id', async () => {
  const { id, call } = await running();
  const at = now();
  const sent = await send(id, keyOf('bob'), { at });
  const again = await crew.model.next();
  expect(await call.closed).toBe(true);
  const copy = await send(id, keyOf('bob'), { at });
  expect(copy.seq).toBe(sent.seq);
  again.reply('done');
  expect(await finalReceipt(boss.crew, id, { steer: 's1', seq: sent.seq })).toMatchObject({ fate: 'applied', by: 'bob' });
});

test('nobody takes the id of a message of an operator with one that does not count', async () => {
  const { id, call } = await running();
  const forged = await send(id, null, { msgId: 'x1' });
  expect(await refusal(id, forged)).toMatchObject({ steer: forged.steer, fate: 'returned' });
  const { seq } = await send(id, keyOf('bob'));
  (await crew.model.next()).reply('done');
  expect(await finalReceipt(boss.crew, id, { steer: 's1', seq })).toMatchObject({ fate: 'applied' });
  expect(await call.closed).toBe(true);
});

test('after a revocation running nodes return what the member sends, and the sender is told', async () => {
  const { id, call } = await running();
  crew.keeper.revoke('bob');
  await crew.publishMembers();
  const bob = await crew.join('bob');
  const sent = await bob.crew.steer(id, { type: 'steer', text: 'y' });
  const told: Receipt[] = [];
  for await (const receipt of bob.crew.receipts(id, sent, never)) told.push(receipt);
  expect(told).toMatchObject([{ fate: 'returned', reason: 'bob was removed from the crew before it was sent' }]);
  await expect(bob.crew.dispatch({ type: 'reasoning', instruction: 'x' })).rejects.toMatchObject({ code: 'bad-order' });
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});

test('a late steer and one to no task are returned with the name of their sender', async () => {
  const { id, call } = await running();
  call.reply('done');
  await ann.crew.result(id, never);
  const late = await ann.crew.steer(id, { type: 'steer', text: 'y' });
  expect(await finalReceipt(ann.crew, id, late)).toMatchObject({ fate: 'returned', by: 'ann' });
  const unsigned = await send(id, null, { msgId: 'u1' });
  expect(await refusal(id, unsigned)).toMatchObject({ fate: 'returned', reason: expect.stringContaining('not signed') });
  const lost = await ann.crew.steer('zzzz.0', { type: 'cancel' });
  expect(await finalReceipt(boss.crew, 'zzzz.0', lost)).toMatchObject({ fate: 'returned', by: 'ann' });
});

test('a steer in a long page is judged by what the server says of it, not by headers that came with it', async () => {
  const { id, call } = await running();
  const hand = await crew.connect('hand');
  // Headers as the server sets them on the messages of a page, for another task and an earlier time.
  const claiming = async (more: Readonly<Record<string, string>>, msgId: string, of = id, at = now()) => {
    const head = headers();
    head.set('Nats-Msg-Id', msgId);
    for (const [name, value] of [
      ...signatureHeaders({ subject: steering(of), msgId, body: text }, keyOf('bob'), at),
      ...Object.entries(more),
    ])
      head.set(name, value);
    return (await jetstream(bare).publish(steering(id), text, { headers: head })).seq;
  };
  const genuine = await ann.crew.steer('zzzz.0', { type: 'cancel' });
  for (let i = 0; i < 8; i++) await send(id, null, { body: `${i}`, msgId: '' });
  const moved = await claiming({ 'Nats-Subject': steering('zzzz.0') }, 'm1', 'zzzz.0');
  const old = await claiming({ 'Nats-Time-Stamp': minutesAgo(9).toISOString() }, 'm2', id, minutesAgo(9));
  const stored = async () => (await boss.bus.jsm.streams.info('cox_log')).state.last_seq;
  const before = await stored();
  hand.publish('$JS.API.DIRECT.GET.cox_log', JSON.stringify({ seq: genuine.seq }), { reply: steering(id) });
  await expect.poll(stored).toBeGreaterThan(before);
  const { seq } = await send(id, keyOf('bob'), { msgId: 'm3' });
  const { steers } = await readSteering(boss.bus, id, 0);
  const counted = steers.filter(({ message }) => message !== null);
  expect(counted).toMatchObject([{ steer: 's1', seq, by: 'bob' }]);
  for (const each of [moved, old]) expect(steers).toContainEqual(expect.objectContaining({ seq: each, steer: `seq:${each}` }));
  expect(steers.map((it) => it.seq)).toEqual(steers.map((it) => it.seq).toSorted((a, b) => a - b));
  (await crew.model.next()).reply('done');
  expect(await call.closed).toBe(true);
});

test('replies of the JetStream API that a worker has stored on a steering subject are harmless (nats-server 8274)', async () => {
  const { id, call } = await running();
  // A genuine steer to another task, which the server can be made to repeat with its headers.
  const genuine = await ann.crew.steer('zzzz.0', { type: 'cancel' });
  const hand = await crew.connect('hand');
  const told = (async () => {
    const returned: Receipt[] = [];
    for await (const event of boss.crew.watch(id, never))
      if (event.kind === 'status') {
        returned.push(...event.status.receipts.filter(({ fate }) => fate === 'returned'));
        if (event.status.outcome !== null) return returned;
      }
    throw new Error('the watch ended');
  })();
  const reply = steering(id);
  hand.publish('$JS.API.STREAM.INFO.cox_log', '', { reply });
  hand.publish('$JS.API.STREAM.MSG.GET.cox_log', JSON.stringify({ seq: genuine.seq }), { reply });
  hand.publish('$JS.API.DIRECT.GET.cox_log', JSON.stringify({ seq: genuine.seq }), { reply });
  hand.publish('cox.tasks.zzzz.0.status', '{}', { reply });
  await hand.flush();
  const last = await ann.crew.steer(id, { type: 'steer', text: 'y' });
  (await crew.model.next()).reply('done');
  expect(await call.closed).toBe(true);
  expect(await finalReceipt(ann.crew, id, last)).toMatchObject({ fate: 'applied', by: 'ann' });
  expect((await ann.crew.result(id, never)).output).toBe('done');
  const { state } = await boss.bus.jsm.streams.info('cox_log', { subjects_filter: reply });
  const stored = state.subjects![reply]! - 1;
  expect(stored).toBeGreaterThanOrEqual(3);
  const returned = await told;
  expect(returned).toHaveLength(stored);
  for (const { steer, seq, by } of returned) expect([steer, by]).toEqual([`seq:${seq}`, undefined]);
});
