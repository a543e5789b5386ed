import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { SteeringInput } from '../../../bus/messages.ts';
import { stateSubject } from '../../../bus/state/state-store.ts';
import type { Writes } from '../../../bus/writes.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const task = (key: string, ...after: string[]) => ({ key, type: 'reasoning', instruction: `Work on ${key}`, after });

/** The goal’s own node is away when `a` returns and when the operator steers, so the goal reads both at once. */
async function heardAtOnce(said: SteeringInput): Promise<string> {
  const first = await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const plan = { tasks: [task('a'), task('b', 'a')], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan });
  await statusWhere(joined.crew, id, ({ state }) => state === 'gathering');
  await first.stop();
  const other = await crew.join('other');
  await crew.node(other, { types: ['reasoning'] });
  (await crew.model.next()).reply('a is done');
  await joined.crew.result(id.replace(/0$/, '1'), never);
  const sent = await joined.crew.steer(id, said);
  const again = await crew.join('again');
  await crew.node(again, { types: ['supervisor'], quietMs: 20 });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied' });
  return id;
}

test('a sub-task that is dropped at the moment when it may start is taken back, and the goal goes on', async () => {
  const id = await heardAtOnce({ type: 'drop', key: 'b' });
  const result = await joined.crew.result(id, never);
  expect(result.output).toContain('a is done');
  expect(crew.model.calls).toHaveLength(1);
  const tree = await joined.crew.tree(id);
  expect(tree.find(({ key }) => key === 'b')).toMatchObject({ state: 'done', outcome: 'cancelled', steps: 0 });
});

test('a sub-task that is run again at the moment when it may start runs once', async () => {
  const id = await heardAtOnce({ type: 'rerun', key: 'b', instruction: 'Work on b, better' });
  (await crew.model.next()).reply('b is better');
  expect((await joined.crew.result(id, never)).output).toContain('b is better');
  expect(crew.model.calls).toHaveLength(2);
});

test('a sub-task whose ticket still waits does not begin while it is taken back', async () => {
  const first = await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const plan = { tasks: [task('a')], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan });
  await statusWhere(joined.crew, id, ({ state }) => state === 'gathering');
  await first.stop();
  await joined.crew.steer(id, { type: 'drop', key: 'a' });

  const child = id.replace(/0$/, '1');
  const worker = await crew.join('worker');
  const acked = worker.bus.nc.subscribe(`$JS.ACK.${worker.bus.subjects.workStream}.pending-reasoning.>`, { max: 1 });
  const { bus } = await crew.join('again');
  // A worker takes the ticket as soon as the goal has written the sub-task’s record.
  const send: Writes['send'] = async (stream, subject, payload, options) => {
    const written = await bus.writes.send(stream, subject, payload, options);
    if (subject === stateSubject(bus, child) && crew.model.calls.length === 0) {
      await crew.node(worker, { types: ['reasoning'] });
      await Promise.race([crew.model.next(), acked[Symbol.asyncIterator]().next()]);
    }
    return written;
  };
  await crew.node({ ...joined, bus: { ...bus, writes: { send } as Writes } }, { types: ['supervisor'], quietMs: 20 });
  await joined.crew.result(id, never);
  expect(await joined.crew.peekResult(child)).toMatchObject({ outcome: 'cancelled' });
  expect(crew.model.calls).toHaveLength(0);
});
