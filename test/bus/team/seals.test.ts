/** In a crew with roles a worker runs only what an operator, or the node that holds the parent, has ordered. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type Seal, TaskSpec } from '../../../bus/messages.ts';
import { publish } from '../../../bus/publish.ts';
import { enqueue } from '../../../bus/queue/task-queue.ts';
import { ticketText } from '../../../bus/queue/ticket.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';
import { createState, readState, replaceState } from '../../../bus/state/state-store.ts';
import { newSigner, signerOf } from '../../../bus/team/nkeys.ts';
import { sealed } from '../../../bus/team/seal.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TeamCrew;
let boss: CrewSession;
let hand: CrewSession;
let ann: CrewSession;
beforeEach(async () => {
  crew = await TeamCrew.start({ boss: ['supervisor'], hand: ['worker'], ann: ['operator'] });
  boss = await crew.join('boss');
  hand = await crew.join('hand');
  ann = await crew.join('ann');
  await crew.node(boss, { quietMs: 20 });
});
afterEach(() => crew.stop());

const id = 'k3xq.0';
const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'x' });
const keyOf = (name: string) => signerOf(crew.member(name).seed);
const now = () => boss.bus.now();
const sealBy = (name: string, of = spec, task = id): Seal => sealed({ namespace: 'cox', id: task, spec: of }, keyOf(name), now());

/** A task as a worker could write it, with its ticket. */
async function planted(record: Partial<StateRecord>) {
  await createState(hand.bus, { ...newRecord(id, spec, 'hand', now().toISOString()), ...record });
  await publish(hand.bus, 'cox.tasks.reasoning.wake', ticketText({ id, run: 1 }), {});
}

test.each<[string, () => Partial<StateRecord>, string]>([
  ['without a seal', () => ({}), 'its order is not sealed'],
  [
    'with the seal of another specification',
    () => ({ seal: sealBy('ann', { ...spec, instruction: 'y' }) }),
    'not the one that ann',
  ],
  ['with the seal of another task', () => ({ seal: sealBy('ann', spec, 'zzzz.0') }), 'not the one that ann'],
  ['with the seal of a supervisor', () => ({ seal: sealBy('boss') }), 'does not have the role operator'],
  ['with the seal of a stranger', () => ({ seal: { ...sealBy('ann'), key: newSigner('user').key } }), 'no member'],
])('a task that a worker has made up %s fails as unsealed', async (_, record, why) => {
  await crew.node(hand);
  await planted(record());
  const result = await boss.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'failed', failure: { code: 'unsealed', message: expect.stringContaining(why) } });
});

test('a parked task whose order a worker has changed is not run again', async () => {
  const node = await crew.node(hand);
  const task = await ann.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  const { question } = await statusWhere(ann.crew, task, (status) => status.question !== null);
  let stored = (await readState(hand.bus, task))!;
  while (stored.record.phase !== 'parked') stored = (await readState(hand.bus, task))!;
  await replaceState(hand.bus, stored, { ...stored.record, spec: { ...stored.record.spec, workspace: '/' } });
  await ann.crew.steer(task, { type: 'answer', question: question!.id, text: 'go on' });
  expect(await ann.crew.result(task, never)).toMatchObject({ outcome: 'failed', failure: { code: 'unsealed' } });
  expect(node.holding()).toEqual([]);
});

const goal = {
  type: 'supervisor',
  instruction: 'g',
  plan: { tasks: [{ key: 'a', type: 'reasoning', instruction: 'a' }], reduce: { by: 'concat' as const } },
};

test('a planned sub-task does not begin with the order of somebody else', async () => {
  const task = await ann.crew.dispatch(goal);
  await statusWhere(ann.crew, task, ({ subTasks }) => subTasks?.running === 1);
  const child = task.replace(/0$/, '1');
  const forged = { id: child, run: 1, spec: { ...spec, instruction: 'forged' } };
  // The work queue gives tickets out in their order, so the genuine one is taken away first.
  await boss.bus.jsm.streams.purge('cox_work', { filter: 'cox.tasks.reasoning.pending' });
  await publish(boss.bus, 'cox.tasks.reasoning.pending', ticketText(forged), {});
  await crew.node(hand);
  expect(await ann.crew.result(child, never)).toMatchObject({ outcome: 'failed', failure: { code: 'unsealed' } });
});

test('a worker has no subject for a new ticket, and no key that seals one', async () => {
  await expect(enqueue(hand.bus, 'reasoning', 'pending', { id, run: 1, spec })).rejects.toMatchObject({ code: 'role-denied' });
  expect(() => hand.bus.team!.seal(id, spec, now())).toThrow('hand may not dispatch a task with the role worker');
});

test('an order counts once and only while it is fresh', async () => {
  const order = { id, spec, seal: sealBy('ann') };
  expect([await boss.crew.take(order), await boss.crew.take(order)]).toEqual([id, id]);
  expect((await boss.bus.jsm.streams.info('cox_work')).state.messages).toBe(1);
  await expect(boss.crew.take({ ...order, seal: sealBy('ann') })).rejects.toMatchObject({ code: 'bad-order' });
  const old = sealed({ namespace: 'cox', id: 'zzzz.0', spec }, keyOf('ann'), new Date(now().getTime() - 180_000));
  await expect(boss.crew.take({ id: 'zzzz.0', spec, seal: old })).rejects.toMatchObject({ code: 'bad-order' });
});

test('a task that was ordered before its operator was revoked goes on', async () => {
  const task = await ann.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  crew.keeper.revoke('ann');
  await crew.publishMembers();
  await crew.node(hand);
  (await crew.model.next()).reply('done');
  expect(await boss.crew.result(task, never)).toMatchObject({ outcome: 'completed' });
});
