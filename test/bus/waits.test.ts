/** Every wait for a task has an end, whatever becomes of the task or of the bus (rule `receipts-end`). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { startService } from '../../bus/api-service.ts';
import { answered, untilAway } from '../../bus/away.ts';
import { hasUnreadSteers } from '../../bus/log/steering-log.ts';
import { readState, stateStream, stateSubject } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never, receiptsOf, statusWhere } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const dispatched = () => joined.crew.dispatch({ type: 'reasoning', instruction: 'nothing' });
const remove = ({ bus }: CrewSession, id: string) => bus.jsm.streams.purge(stateStream(bus), { filter: stateSubject(bus, id) });

test('a wait for a receipt ends when the task is removed', async () => {
  const id = await dispatched();
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'x' });
  const waiting = expect(finalReceipt(joined.crew, id, sent)).rejects.toMatchObject({ code: 'unknown-task' });
  // The wait reads the record in the same tick, so it has seen the task by then.
  await readState(joined.bus, id);
  await remove(joined, id);
  await waiting;
});

test('a wait for a result ends when the task is removed', async () => {
  const id = await dispatched();
  const waiting = expect(joined.crew.result(id, never)).rejects.toMatchObject({ code: 'unknown-task' });
  await remove(joined, id);
  await waiting;
});

test('a wait for a receipt that the log has lost ends with what the record says', async () => {
  await crew.node(joined);
  const id = await dispatched();
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'too late' });
  await statusWhere(joined.crew, id, ({ receipts }) => receipts.some(({ steer }) => steer === sent.steer));
  const { bus } = joined;
  await bus.jsm.streams.purge(bus.subjects.logStream, { filter: bus.subjects.of(id, 'status') });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'returned', reason: 'the task has ended: completed' });
});

test('a wait for a receipt of a task that has ended ends where no node is left that would return the message', async () => {
  const node = await crew.node(await crew.join('worker'));
  const id = await dispatched();
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  await node.stop();
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'too late' });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'returned', reason: 'the task has ended: completed' });
});

/** A task that nobody takes, since no node knows its type. */
const unclaimed = () => joined.crew.dispatch({ type: 'nobody', instruction: 'x' });
const steering = (task: string, n: number) =>
  joined.bus.nc
    .request('cox.api.steer', JSON.stringify({ task, id: `s${n}`, text: 'x', waitMs: 10_000 }), { timeout: 60_000 })
    .then((reply) => reply.json<{ steer: string; seq: number; receipts: unknown[]; waitError?: { code: string } }>());

test('1,100 requests that wait at once are told that their steers are stored, and hold no consumer', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await unclaimed();
  const waiting = Promise.all(Array.from({ length: 1_100 }, (_, n) => steering(id, n)));
  while (((await bus.jsm.streams.info(bus.subjects.logStream)).state.messages ?? 0) < 1_100) await bus.nc.flush();
  expect((await bus.jsm.streams.info(bus.subjects.logStream)).state.consumer_count).toBe(1);
  const replies = await waiting;
  expect(new Set(replies.map(({ seq }) => seq)).size).toBe(1_100);
  expect(replies.filter(({ waitError }) => waitError)).toEqual([]);
});

test('a request whose wait fails is still told that its steer is stored', async () => {
  const { bus } = joined;
  const nobody = { menu: () => [], machine: () => ({}) as never, roster: () => ({}) as never, report: () => ({}) as never };
  const service = await startService(bus, { crew: joined.crew, node: 'service', ...nobody });
  const id = await unclaimed();
  const replied = steering(id, 1);
  while (!(await hasUnreadSteers(bus, id, 0))) await bus.nc.flush();
  await readState(bus, id);
  await remove(joined, id);
  expect(await replied).toMatchObject({ steer: 's1', receipts: [], waitError: { code: 'unknown-task' } });
  await service.stop();
});

test('receipts come to each of two waits for one steer, each receipt once, also to one that begins late', async () => {
  await crew.node(joined);
  const id = await dispatched();
  await crew.model.next();
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'y' });
  const early = [receiptsOf(joined.crew, id, sent), receiptsOf(joined.crew, id, sent)];
  (await crew.model.next()).reply('done');
  const fates = async (receipts: Promise<readonly { fate: string }[]>) => (await receipts).map(({ fate }) => fate);
  for (const receipts of [...early, receiptsOf(joined.crew, id, sent)])
    expect(await fates(receipts)).toEqual(['accepted', 'queued', 'applied']);
});

test('a wait for a receipt ends when the connection is closed', async () => {
  const other = await crew.join('other');
  const id = await dispatched();
  const sent = await other.crew.steer(id, { type: 'steer', text: 'x' });
  const waiting = expect(finalReceipt(other.crew, id, sent)).rejects.toMatchObject({ code: 'bus-closed' });
  await other.bus.nc.close();
  await waiting;
});

test('a bus that does not answer is taken to be away', async () => {
  await expect(answered(new Promise(() => {}), 1)).rejects.toMatchObject({ code: 'bus-away' });
  await expect(answered(Promise.resolve('here'), 1)).resolves.toBe('here');
});

test('a client that only listens is told that the bus is away, or ends when it likes', async () => {
  const other = await crew.join('other');
  const stopped = new AbortController();
  const listening = untilAway(other.bus, stopped.signal);
  stopped.abort();
  await listening;
  const deaf = { nc: { flush: () => new Promise<void>(() => {}) } } as unknown as typeof other.bus;
  await expect(untilAway(deaf, never, 1)).rejects.toMatchObject({ code: 'bus-away' });
});
