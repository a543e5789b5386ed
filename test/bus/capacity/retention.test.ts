/** Retention on a real server: what a collection purges and keeps, and how late steers, tickets and other collections meet it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { collect } from '../../../bus/capacity/retention.ts';
import { returnLate } from '../../../bus/log/late-steers.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { enqueue } from '../../../bus/queue/task-queue.ts';
import { setTimer } from '../../../bus/queue/timers.ts';
import { allRecords } from '../../../bus/state/all-records.ts';
import { encodeRecord } from '../../../bus/state/state-record.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const at = () => new Date().toISOString();
const everything = { finishedAfterMs: 0, finishedBytes: null };
const hour = { finishedAfterMs: 3_600_000, finishedBytes: null };
const purge = async (keep = everything) => (await collect(joined.bus, { keep })).purged.map(({ root }) => `${root}.0`);

async function finished(instruction = 'x'): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction });
  await joined.crew.result(id, never);
  await acked(id);
  return id;
}

/** Waits until the ticket is acked. The worker acks after it has published the result, so the stream has to be looked at. */
async function acked(id: string): Promise<void> {
  const { bus } = joined;
  const { ticketSeq } = (await readState(bus, id))!.record;
  while (await bus.jsm.streams.getMessage(bus.subjects.workStream, { seq: ticketSeq }));
}

/** Subjects that still have messages of a tree, in every stream. */
async function leftOf(id: string): Promise<string[]> {
  const { jsm, subjects } = joined.bus;
  const root = id.split('.')[0]!;
  const all = await Promise.all(
    [subjects.logStream, `KV_${subjects.stateBucket}`, subjects.timerStream, subjects.workStream].map(async (stream) => {
      const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
      return Object.keys(state.subjects ?? {}).filter((subject) => subject.split('.').includes(root));
    }),
  );
  return all.flat();
}

const goal = (keys: readonly string[]) => ({
  type: 'supervisor' as const,
  instruction: 'g',
  plan: { tasks: keys.map((key) => ({ key, type: 'reasoning', instruction: key })), reduce: { by: 'concat' as const } },
});

test('a finished tree is purged whole, and nothing of another tree', async () => {
  const node = await crew.node(joined, { quietMs: 20 });
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch(goal(['a', 'b', 'c']));
  await joined.crew.result(id, never);
  const young = await finished();
  await node.stop();
  await setTimer(joined.bus, id, new Date(Date.now() + 3_600_000));
  for (const each of ['0', '1', '2', '3']) await acked(`${id.split('.')[0]}.${each}`);
  expect(await purge(hour)).toEqual([]);
  // The goal is older than the other task, so a limit that is one byte too small purges the goal.
  const before = await collect(joined.bus, { keep: { finishedAfterMs: null, finishedBytes: 1 }, dryRun: true });
  expect(before.purged.map(({ root, tasks, why }) => [`${root}.0`, tasks, why])).toEqual([
    [id, 4, 'size'],
    [young, 1, 'size'],
  ]);
  const total = before.purged.reduce((sum, { bytes }) => sum + bytes, 0);
  const { purged, keptBytes } = await collect(joined.bus, { keep: { finishedAfterMs: null, finishedBytes: total - 1 } });
  expect(purged.map(({ root }) => `${root}.0`)).toEqual([id]);
  expect(keptBytes).toBe(before.purged[1]!.bytes);
  expect(await leftOf(id)).toEqual([]);
  expect((await joined.crew.peekResult(young))?.outcome).toBe('completed');
  await expect(joined.crew.peekResult(id)).rejects.toMatchObject({ code: 'unknown-task' });
});

test('a collection counts the bytes of a tree as the server does', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.reply('long '.repeat(2_000)));
  await finished();
  await finished();
  const { jsm, subjects } = joined.bus;
  const bytesOf = async (stream: string) => (await jsm.streams.info(stream)).state.bytes;
  const stored = (await bytesOf(subjects.logStream)) + (await bytesOf(`KV_${subjects.stateBucket}`));
  const { purged } = await collect(joined.bus, { keep: everything, dryRun: true });
  const told = purged.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(told).toBe(stored);
});

test('running, parked and queued tasks stay, with the finished parts of their tree', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await joined.crew.dispatch(goal(['a', 'b']));
  const [a] = [await crew.model.next(), await crew.model.next()];
  a.reply('one is done');
  const parked = await joined.crew.dispatch({ type: 'reasoning', instruction: 'ask me' });
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  await statusWhere(joined.crew, parked, ({ state }) => state === 'awaiting-steer');
  const waiting = await joined.crew.dispatch({ type: 'nobody-does-this', instruction: 'x' });
  await statusWhere(joined.crew, `${id.split('.')[0]}.1`, ({ outcome, state }) => outcome !== null || state === 'thinking');
  expect(await purge()).toEqual([]);
  expect((await collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: 0 } })).purged).toEqual([]);
  for (const each of [id, parked, waiting]) expect(await readState(joined.bus, each)).not.toBeNull();
});

test('a task whose result is committed stays while its ticket is not acked', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const id = await finished();
  // A ticket in the queue, as between the commit and the ack.
  const { seq } = (await enqueue(joined.bus, 'nobody-does-this', 'pending', { id, run: 9 })) as { seq: number };
  const { record } = (await readState(joined.bus, id))!;
  await joined.bus.js.publish(`$KV.${joined.bus.subjects.stateBucket}.${id}`, encodeRecord({ ...record, ticketSeq: seq }).value);
  expect(await purge()).toEqual([]);
  await joined.bus.jsm.streams.deleteMessage(joined.bus.subjects.workStream, seq);
  expect(await purge()).toEqual([id]);
});

test('a late steer keeps its task until it has a receipt; after the purge a steer is returned as to an unknown task', async () => {
  const node = await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const id = await finished();
  await node.stop();
  const late = await joined.crew.steer(id, { type: 'steer', text: 'too late' });
  expect(await purge()).toEqual([]);
  await returnLate(joined.bus, id, at);
  expect((await finalReceipt(joined.crew, id, late)).reason).toContain('ended');
  expect(await purge()).toEqual([id]);
  await crew.node(joined);
  const later = await joined.crew.steer(id, { type: 'steer', text: 'anyone?' });
  expect(await finalReceipt(joined.crew, id, later)).toMatchObject({ fate: 'returned', reason: `there is no task ${id}` });
});

test('tombstones of unknown tasks and of malformed ids go by age', async () => {
  const node = await crew.node(joined);
  const sent = await joined.crew.steer('nobody.3', { type: 'steer', text: 'hello?' });
  await finalReceipt(joined.crew, 'nobody.3', sent);
  const { nc, subjects, jsm } = joined.bus;
  const told = nc.subscribe(`${subjects.namespace}.tasks.NO.ID.status`, { max: 1 });
  nc.publish(`${subjects.namespace}.tasks.NO.ID.steering`, 'hello?');
  for await (const _ of told);
  await node.stop();
  const old = await collect(joined.bus, { keep: hour });
  expect([old.purged, old.strays]).toEqual([[], 0]);
  const { purged, strays } = await collect(joined.bus, { keep: everything });
  expect(purged).toMatchObject([{ root: 'nobody', instruction: null }]);
  expect(strays).toBe(2);
  expect((await jsm.streams.info(subjects.logStream)).state.messages).toBe(0);
});

test('a steer without a receipt stays on the log at any age', async () => {
  const sent = await joined.crew.steer('nobody.3', { type: 'steer', text: 'hello?' });
  expect(await collect(joined.bus, { keep: everything })).toMatchObject({ purged: [], strays: 0 });
  await crew.node(joined);
  expect((await finalReceipt(joined.crew, 'nobody.3', sent)).fate).toBe('returned');
});

test('late tickets of a purged tree start nothing, at the root and below', async () => {
  const node = await crew.node(joined, { quietMs: 20 });
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch(goal(['a']));
  await joined.crew.result(id, never);
  await acked(id);
  await node.stop();
  const child = id.replace(/0$/, '1');
  const { spec } = (await readState(joined.bus, child))!.record;
  await acked(child);
  expect(await purge()).toEqual([id]);
  const who = { node: 'late', now: () => new Date(), leaseMs: 1_000 };
  for (const ticket of [
    { id, run: 1 },
    { id, run: 2 },
    { id: child, run: 1, spec },
    { id, run: 1, spec },
  ])
    expect(await claim(joined.bus, { type: 'reasoning', ticket, seq: 999 }, who)).toMatchObject({ kind: 'stale' });
  expect(await leftOf(id)).toEqual([]);
});

test.each(['a record', 'a status'])(
  '%s whose subject has a wildcard token purges no task that the wildcard matches',
  async (what) => {
    await crew.node(joined);
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
    const call = await crew.model.next();
    const { nc, subjects } = joined.bus;
    const { record } = (await readState(joined.bus, id))!;
    const status = `${subjects.namespace}.tasks.*.0.status`;
    if (what === 'a status') await nc.request(status, '{}');
    else
      await nc.request(
        `$KV.${subjects.stateBucket}.*.0`,
        encodeRecord({ ...record, id: '*.0', phase: 'done', ticketSeq: 0 }).value,
      );
    const before = (await leftOf(id)).sort();
    await collect(joined.bus, { keep: everything });
    expect((await leftOf(id)).sort()).toEqual(before);
    call.reply('done');
  },
);

test('several collections at once leave nothing and disturb no task', async () => {
  const node = await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const ids = await Promise.all([1, 2, 3, 4, 5].map((n) => finished(`task ${n}`)));
  const running = Promise.all([6, 7, 8].map((n) => finished(`task ${n}`)));
  await Promise.all([1, 2, 3, 4].map(() => collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: null } })));
  await running.catch(() => {});
  for (const id of ids) expect(await leftOf(id)).toEqual([]);
  await node.stop();
});

/** docs/adr/0021: nats-server 2.15.1 then restores the value before a purged one. */
test('a server that is killed after a purge restores no record that could run', async () => {
  const node = await crew.node(joined, { quietMs: 20 });
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch(goal(['a', 'b']));
  await joined.crew.result(id, never);
  await node.stop();
  const stays = await joined.crew.dispatch({ type: 'reasoning', instruction: 'later' });
  for (const each of ['0', '1', '2']) await acked(`${id.split('.')[0]}.${each}`);
  expect(await purge()).toEqual([id]);
  const { pid } = JSON.parse(await readFile(join(joined.folders.state, 'nats', 'server.json'), 'utf8'));
  const events = joined.connection()[Symbol.asyncIterator]();
  const gone = events.next();
  process.kill(pid, 'SIGKILL');
  expect((await gone).value).toBe('disconnected');
  while ((await events.next()).value !== 'reconnected');
  const back = await allRecords(joined.bus, '>');
  expect(back.filter(({ phase }) => phase !== 'done').map((record) => record.id)).toEqual([stays]);
  await purge();
  expect((await allRecords(joined.bus, '>')).map((record) => record.id)).toEqual([stays]);
});
