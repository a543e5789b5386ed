/** A client with access to the bus may publish anything on any subject: it is answered or dropped, and changes nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { parseStatus } from '../../bus/log/projection.ts';
import { publish } from '../../bus/publish.ts';
import { readState } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never, statusWhere } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const garbage = [
  '',
  '{',
  '[]',
  'null',
  '42',
  '"x"',
  '{}',
  '{"id":"k3xq.0"}',
  '{"id":"k3xq.0","t":-1}',
  '\u0000\u0001',
  'x'.repeat(200_000),
];
const bytes = [...garbage.map((text) => Buffer.from(text)), Buffer.from([0xff, 0xfe, 0x80])];

test('random bytes on the subjects of a running task, of unknown tasks and of no task disturb no task', async () => {
  await crew.node(joined);
  const { nc, subjects } = joined.bus;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Go on' });
  const call = await crew.model.next();
  const targets = [
    ...(['pending', 'wake'] as const).map((queue) => subjects.ticket('reasoning', queue)),
    ...(['status', 'result'] as const).flatMap((channel) => [subjects.of(id, channel), subjects.of('nobody.0', channel)]),
    'cox.tasks.UPPER.case.steering',
    'cox.tasks.nobody.0.steering',
    'cox.tasks.a.b.c.d.e',
    `cox.timers.due.${id}`,
  ];
  for (const target of targets) for (const payload of bytes) nc.publish(target, payload);
  await nc.flush();
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'still there?' });
  const next = await crew.model.next();
  expect(await call.closed).toBe(true);
  next.reply('yes');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'yes' });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied', step: 2 });
  expect(await joined.crew.status(id)).toMatchObject({ state: 'done', outcome: 'completed' });
  expect((await joined.crew.tasks()).map((task) => task.id)).toEqual([id]);
});

test('a steer to a malformed task id is answered on its status subject', async () => {
  await crew.node(joined);
  const { nc } = joined.bus;
  const answered = new Promise<string | undefined>((resolve) => {
    nc.subscribe('cox.tasks.UPPER.case.status', { callback: (_, { data }) => resolve(parseStatus(data)?.receipts[0]?.reason) });
  });
  await nc.flush();
  nc.publish('cox.tasks.UPPER.case.steering', 'hello?');
  expect(await answered).toBe('there is no task UPPER.case');
});

test('a ticket for an unplanned sub-task starts nothing', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.reply('should not be asked'));
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'the parent' });
  await joined.crew.result(id, never);
  const spec = { type: 'reasoning', instruction: 'a forged child' };
  for (const orphan of [id.replace(/0$/, '7'), 'nobody.3'])
    bus.nc.publish(bus.subjects.ticket('reasoning', 'pending'), JSON.stringify({ id: orphan, t: 1, spec }));
  const after = await joined.crew.dispatch({ type: 'reasoning', instruction: 'after them' });
  await joined.crew.result(after, never);
  expect(await readState(bus, id.replace(/0$/, '7'))).toBeNull();
  expect(await readState(bus, 'nobody.3')).toBeNull();
  expect(crew.model.calls).toHaveLength(2);
});

test('a forged result does not end a sub-task for its parent', async () => {
  await crew.node(joined, { quietMs: 20 });
  const plan = { tasks: [{ key: 'a', type: 'reasoning', instruction: 'really' }], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan });
  const call = await crew.model.next();
  const child = id.replace(/0$/, '1');
  const forged = {
    id: child,
    type: 'reasoning',
    outcome: 'completed',
    output: 'forged',
    failure: null,
    at: new Date(0).toISOString(),
  };
  joined.bus.nc.publish(joined.bus.subjects.of(child, 'result'), JSON.stringify(forged));
  await statusWhere(joined.crew, id, ({ state }) => state === 'gathering');
  call.reply('true');
  expect((await joined.crew.result(id, never)).output).toContain('true');
});

test('a forged result below a task that plans nothing does not wake it', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Wait' });
  await crew.model.next();
  await joined.crew.steer(id, { type: 'pause' });
  let record = (await readState(bus, id))!.record;
  while (record.phase !== 'parked') record = (await readState(bus, id))!.record;
  const { ok, ...forged } = await publish(bus, bus.subjects.of(id.replace(/0$/, '1'), 'result'), 'done', {});
  const seq = 'seq' in forged ? forged.seq : Number.POSITIVE_INFINITY;
  const settled = async () => (await bus.jsm.consumers.info(bus.subjects.logStream, 'waker')).ack_floor.stream_seq;
  while ((await settled()) < seq);
  expect(ok).toBe(true);
  expect((await readState(bus, id))?.record.epoch).toBe(record.epoch);
});
