/** Every wait for a task has an end, whatever becomes of the task or of the bus (rule `receipts-end`). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { answered } from '../../bus/log/fate-of-steer.ts';
import { readState, stateStream, stateSubject } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never, statusWhere } from '../support/watching.ts';

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
  // The wait has seen the task once its consumer is there.
  const { bus } = joined;
  while ((await bus.jsm.streams.info(bus.subjects.logStream)).state.consumer_count === 0) await bus.nc.flush();
  await readState(bus, id);
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
