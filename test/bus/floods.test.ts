/** Floods of steers end in receipts, and leave small records. Rules `pages`, `known-steers`, `steering-limits`. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { parseStatus } from '../../bus/log/projection.ts';
import { hasUnreadSteers, readSteering } from '../../bus/log/steering-log.ts';
import type { Receipt, Status } from '../../bus/messages.ts';
import { messagesAfter } from '../../bus/state/batch-get.ts';
import { readState } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never, receiptsOf } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

async function endedTask(): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  return id;
}

/** Publishes steers as any NATS client could, without ids. */
async function flood(id: string, count: number, payload: (n: number) => string): Promise<void> {
  const { nc, subjects } = joined.bus;
  for (let n = 0; n < count; n++) nc.publish(subjects.of(id, 'steering'), payload(n));
  await nc.flush();
}

/** All statuses of a task, once the log has the final receipt of a steer that was sent after the flood. */
async function statusesAfter(id: string): Promise<{ statuses: Status[]; finals: Receipt[] }> {
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'the last one' });
  await finalReceipt(joined.crew, id, sent);
  const { logStream, ...subjects } = joined.bus.subjects;
  // The server passes the copy of a status on before a busy log has stored it.
  for (;;) {
    const stored = await Array.fromAsync(messagesAfter(joined.bus, logStream, subjects.of(id, 'status'), 0));
    const statuses = stored.flatMap(({ data }) => parseStatus(data) ?? []);
    const finals = statuses.flatMap(({ receipts }) => receipts).filter(({ fate }) => fate === 'returned' || fate === 'applied');
    if (finals.some(({ steer }) => steer === sent.steer)) return { statuses, finals };
  }
}

const doubled = (receipts: readonly Receipt[]) => receipts.length - new Set(receipts.map(({ seq }) => seq)).size;

test('each of 1,200 steers to an ended task gets one receipt, in statuses of at most a page, and none stays in the record', async () => {
  await crew.node(joined);
  const id = await endedTask();
  await flood(id, 1_200, (n) => `TOKEN-${n}`);
  const { statuses, finals } = await statusesAfter(id);
  expect(finals).toHaveLength(1_201);
  expect(doubled(finals)).toBe(0);
  expect(Math.max(...statuses.map(({ receipts }) => receipts.length))).toBeLessThanOrEqual(500);
  const { known, outbox } = (await readState(joined.bus, id))!.record;
  expect(known).toHaveLength(1);
  expect(outbox).toHaveLength(1);
});

test('each of 1,200 steers to an id that never was gets one receipt', async () => {
  await crew.node(joined);
  await flood('nobody.0', 1_200, (n) => JSON.stringify({ type: 'steer', id: `s${n}`, text: 'x' }));
  const { finals } = await statusesAfter('nobody.0');
  expect(finals).toHaveLength(1_201);
  expect(doubled(finals)).toBe(0);
  expect(finals[0]).toMatchObject({ fate: 'returned', reason: 'there is no task nobody.0' });
  const { known } = (await readState(joined.bus, 'nobody.0'))!.record;
  expect(known).toHaveLength(1_000);
});

test('80 bad steers of 130 kB to an ended task get short receipts, and the task beside it is steered', async () => {
  await crew.node(joined);
  const id = await endedTask();
  await flood(id, 80, () => `{"type":"steer","text":"x","${' '.repeat(130_000)}":1}`);
  const beside = await joined.crew.dispatch({ type: 'reasoning', instruction: 'y' });
  await crew.model.next();
  const sent = await joined.crew.steer(beside, { type: 'steer', text: 'z' });
  (await crew.model.next()).reply('done');
  expect(await finalReceipt(joined.crew, beside, sent)).toMatchObject({ fate: 'applied' });
  const { statuses, finals } = await statusesAfter(id);
  expect(finals).toHaveLength(81);
  expect(JSON.stringify(statuses).length).toBeLessThan(100_000);
});

test('a copy of a steer that was returned shortly before is dropped, and a copy of one that was applied always', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  const applied = await joined.crew.steer(id, { type: 'steer', text: 'y' });
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  const copy = (steer: string) => JSON.stringify({ type: 'steer', id: steer, text: 'y' });
  const steers = ['early', ...Array.from({ length: 998 }, (_, n) => `s${n}`), 'early', applied.steer];
  await flood(id, steers.length, (n) => copy(steers[n]!));
  const { finals } = await statusesAfter(id);
  expect(finals.filter(({ steer }) => steer === 'early')).toHaveLength(1);
  expect(finals.filter(({ steer }) => steer === applied.steer)).toHaveLength(1);
});

test('a live task refuses what goes beyond its limits with a receipt that names them, and takes the cancel behind it', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await crew.model.next();
  crew.model.answer(() => {});
  await flood(id, 1_500, (n) => `TOKEN-${n}`);
  const cancel = await joined.crew.steer(id, { type: 'cancel' });
  expect(await receiptsOf(joined.crew, id, cancel)).toContainEqual(expect.objectContaining({ fate: 'applied' }));
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'cancelled' });
  const { finals } = await statusesAfter(id);
  expect(finals).toHaveLength(1_502);
  expect(doubled(finals)).toBe(0);
  const refused = finals.filter(({ reason }) => /wait for the next model call|at most 600 messages/.test(reason ?? ''));
  expect(refused.length).toBeGreaterThanOrEqual(900);
});

test('a page of steers ends at its limit, and the next one goes on behind it', async () => {
  const { bus } = joined;
  await flood('read.0', 520, (n) => `${n}`);
  await flood('read.0', 40, () => 'x'.repeat(100_000));
  await joined.crew.steer('read.0', { type: 'cancel' });
  const seen: number[] = [];
  for (let cursor = 0, isLast = false; !isLast; ) {
    const page = await readSteering(bus, 'read.0', cursor);
    seen.push(page.steers.length);
    isLast = page.isLast;
    cursor = page.steers.at(-1)?.seq ?? cursor;
  }
  expect(seen[0]).toBe(500);
  expect(Math.max(...seen.slice(1))).toBeLessThan(45);
  expect(seen.reduce((a, b) => a + b)).toBe(561);
  expect(await hasUnreadSteers(bus, 'read.0', 0)).toBe(true);
  expect(await hasUnreadSteers(bus, 'other.0', 0)).toBe(false);
});

test('a steer to an impossible id is answered by the name that its sender gave it', async () => {
  await crew.node(joined);
  const { nc } = joined.bus;
  const answered = new Promise<string | undefined>((resolve) => {
    nc.subscribe('cox.tasks.UPPER.case.status', { callback: (_, { data }) => resolve(parseStatus(data)?.receipts[0]?.steer) });
  });
  await nc.flush();
  nc.publish('cox.tasks.UPPER.case.steering', JSON.stringify({ type: 'steer', id: 'mine', text: 'hello?' }));
  expect(await answered).toBe('mine');
});
