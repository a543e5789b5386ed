/** Nodes whose clock is an hour wrong, in processes of their own: no other process sees a wrong time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import type { Status } from '../../bus/messages.ts';
import { sweep } from '../../bus/queue/sweeper.ts';
import { readState } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { beforeDeadline } from '../support/deadline.ts';
import { finalReceipt, never, statusWhere } from '../support/watching.ts';
import { audit, bookkeeper, goalOf, Operator } from './books.ts';
import { Nodes } from './nodes.ts';
import { Outside } from './outside.ts';

const hourMs = 3_600_000;
const clocks = [
  ['an hour ahead', hourMs],
  ['an hour behind', -hourMs],
] as const;

let crew: TestCrew;
let outside: Outside;
let nodes: Nodes;
beforeAll(async () => {
  crew = await testCrew();
  outside = await Outside.start();
  nodes = new Nodes(crew, outside);
  crew.model.answer((call) => {
    const asked = call.texts('user').join();
    // A task that ponders gets no reply.
    if (asked.includes('Ponder')) return;
    if (asked.includes('Wonder')) call.call('ask_operator', { question: 'Well?' });
    else bookkeeper(call);
  });
});
afterAll(async () => {
  await nodes?.stop();
  await outside?.stop();
  await crew?.stop();
});

const inMs = ({ bus }: CrewSession, ms: number) => new Date(bus.now().getTime() + ms).toISOString();
/** Milliseconds between a time that a node wrote and the time of the bus. */
const offBy = ({ bus }: CrewSession, time: string) => Math.abs(Date.parse(time) - bus.now().getTime());

describe.each(clocks)('a node %s', (clock, offMs) => {
  let joined: CrewSession;
  let start: (name: string) => ReturnType<Nodes['start']>;
  beforeAll(async () => {
    const namespace = clock.replaceAll(' ', '-');
    joined = await crew.join(`driver ${clock}`, namespace);
    start = (name) => nodes.start(name, { COX_NAMESPACE: namespace, CLOCK_OFF_MS: String(offMs) });
    await start('off');
  });

  test('does not end a task long before its deadline, and writes the right time', async () => {
    const id = await joined.crew.dispatch({ ...goalOf(['apples']), deadlineAt: inMs(joined, 600_000) });
    const operator = new Operator(joined, id);
    (await outside.next()).answer();
    const result = await joined.crew.result(id, never);
    expect(result).toMatchObject({ outcome: 'completed', output: expect.stringContaining('apples is booked in euros') });
    await operator.rest();
    expect(await audit(joined, id)).toEqual([]);
    expect(offBy(joined, result.at)).toBeLessThan(hourMs / 10);
  });

  test('ends a task at its deadline, both while it runs and while it waits for its operator', async () => {
    const { running, waiting } = await beforeDeadline(joined.bus.now, async (deadlineAt) => {
      const pondering = await joined.crew.dispatch({ type: 'clerk', instruction: 'Ponder', deadlineAt });
      const wondering = await joined.crew.dispatch({ type: 'clerk', instruction: 'Wonder', deadlineAt });
      const { outcome } = await statusWhere(
        joined.crew,
        wondering,
        (status) => status.question !== null || status.outcome !== null,
      );
      return outcome ? null : { running: pondering, waiting: wondering };
    });
    for (const id of [running, waiting])
      expect((await joined.crew.result(id, never)).failure).toMatchObject({ code: 'deadline' });
    // A node that ignores the server’s time parks the task over and over. A clock that is half a round trip behind parks it a few
    // times.
    expect((await readState(joined.bus, waiting))!.record.epoch).toBeLessThan(20);
  });

  test('writes records that the sweeper does not find old', async () => {
    const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book medlars' });
    const deed = await outside.next();
    expect(offBy(joined, (await readState(joined.bus, id))!.record.last!.at)).toBeLessThan(hourMs / 10);
    expect(await sweep(joined.bus, { now: joined.bus.now, leaseMs: 1_000, published: new Set() })).toEqual([]);
    deed.answer();
    await statusWhere(joined.crew, id, ({ state }) => state === 'awaiting-steer');
  });

  test('that takes over a call in doubt lets it run again neither too early nor an hour late', async () => {
    const doubt = `${joined.bus.subjects.namespace}-doubt`;
    const first = await nodes.start('first', { COX_NAMESPACE: doubt, LEASE_MS: '500' });
    const driver = await crew.join(`doubter ${clock}`, doubt);
    const id = await driver.crew.dispatch({ type: 'clerk', instruction: 'Book quinces' });
    await outside.next();
    await first.kill();
    await nodes.start('second', { COX_NAMESPACE: doubt, LEASE_MS: '500', CLOCK_OFF_MS: String(offMs) });
    const { question } = await statusWhere(driver.crew, id, ({ question }) => question?.kind === 'in-doubt');
    const { doubtfulUntil } = (await readState(driver.bus, id))!.record;
    const answer = { type: 'answer', question: question!.id, text: 'run it again' } as const;
    const said = async () => finalReceipt(driver.crew, id, await driver.crew.steer(id, answer));
    const isApplied = ({ receipts }: Status) => receipts.some(({ fate }) => fate === 'applied');
    const applied = statusWhere(driver.crew, id, isApplied);
    while ((await said()).fate !== 'applied') expect(offBy(driver, doubtfulUntil!)).toBeLessThan(hourMs / 10);
    // Both times are of the clock of the node that took over. Another node’s clock may differ by half a round trip.
    const { at } = await applied;
    expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(doubtfulUntil!));
    expect(offBy(driver, at)).toBeLessThan(hourMs / 10);
    (await outside.next()).answer();
    await statusWhere(driver.crew, id, ({ question }) => question?.kind === 'asked');
  });
});
