/**
 * On a full bus, requests of operators are refused and store nothing. Tasks that a node works on wait, and go on when the bus
 * accepts writes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { fullNotice } from '../../../bus/capacity/full-notice.ts';
import { collect } from '../../../bus/capacity/retention.ts';
import { fullStreams, limitStreams } from '../../../bus/capacity/stream-limits.ts';
import { obtainServerBinary } from '../../../bus/embedded/obtain-binary.ts';
import { Memory } from '../../../bus/shared-memory.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
let cleanUp: (() => Promise<void>) | null = null;
afterEach(async () => {
  await crew.stop();
  await cleanUp?.();
  cleanUp = null;
});

type Name = 'log' | 'queue' | 'state';
const streamOf = (name: Name): string => {
  const { logStream, workStream, stateBucket } = joined.bus.subjects;
  return { log: logStream, queue: workStream, state: `KV_${stateBucket}` }[name];
};
const stateOf = async (name: Name) => (await joined.bus.jsm.streams.info(streamOf(name))).state;

/** Limits the stream to the bytes that it has, so it takes not one byte more. */
async function fill(name: Name): Promise<void> {
  const { bytes } = await stateOf(name);
  await joined.bus.jsm.streams.update(streamOf(name), { max_bytes: Math.max(bytes, 1) });
}
const free = (name: Name) => joined.bus.jsm.streams.update(streamOf(name), { max_bytes: -1 });

/** A node, with promises for what it reports: that the bus is full, and that it accepts writes again. */
async function startNode(options: Parameters<TestCrew['node']>[1] = {}) {
  const said: string[] = [];
  const full = Promise.withResolvers<void>();
  const roomy = Promise.withResolvers<void>();
  const waiting: { fits: RegExp; heard: (text: string) => void }[] = [];
  const note = (text: string) => {
    said.push(text);
    if (/accepts writes again/.test(text)) roomy.resolve();
    else if (/^The bus is full/.test(text)) full.resolve();
    for (const { fits, heard } of waiting) if (fits.test(text)) heard(text);
  };
  /** The next note that fits. */
  const next = (fits: RegExp) => new Promise<string>((heard) => waiting.push({ fits, heard }));
  const node = await crew.node(joined, { leaseMs: 1_000, quietMs: 20, note, ...options });
  return { node, said, isFull: full.promise, hasRoom: roomy.promise, next };
}
const dispatch = (instruction = 'x') => joined.crew.dispatch({ type: 'reasoning', instruction });

test.each(['state', 'queue'] as const)('with a full %s a dispatch is refused with a hint and stores nothing', async (name) => {
  // The stream needs a message: an empty one has too few bytes to be limited to.
  const first = await dispatch();
  await fill(name);
  await expect(dispatch('y'.repeat(5_000))).rejects.toMatchObject({
    code: 'stream-full',
    hint: expect.stringContaining('cox gc'),
  });
  expect((await joined.crew.tasks()).map(({ id }) => id)).toEqual([first]);
  await free(name);
  expect((await joined.crew.tasks()).length).toBe(1);
  await dispatch();
  expect((await joined.crew.tasks()).length).toBe(2);
});

test('with a full log a steer is refused and the log has nothing of it', async () => {
  const id = await dispatch();
  await joined.crew.steer(id, { type: 'steer', text: 'first' });
  await fill('log');
  const before = await stateOf('log');
  await expect(joined.crew.steer(id, { type: 'steer', text: 'second' })).rejects.toMatchObject({ code: 'stream-full' });
  expect((await stateOf('log')).messages).toBe(before.messages);
});

test.each(['state', 'log'] as const)('with a full %s a running task waits, and then ends as usual', async (name) => {
  const { said, isFull, hasRoom } = await startNode();
  const id = await dispatch();
  const call = await crew.model.next();
  await fill(name);
  call.reply('done '.repeat(500));
  await isFull;
  expect(await fullNotice(joined.bus)).toMatchObject({ code: 'stream-full' });
  expect((await joined.bus.jsm.streams.info(joined.bus.subjects.workStream)).state.messages).toBe(1);
  await free(name);
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  await hasRoom;
  expect(await fullNotice(joined.bus)).toBeNull();
  const { record } = (await readState(joined.bus, id))!;
  expect([record.epoch, record.idleClaims]).toEqual([1, 0]);
  expect(crew.model.calls).toHaveLength(1);
  expect(said).toHaveLength(2);
});

test('a node reports a steer that was published to a full log without asking for an ack', async () => {
  const { said, isFull, hasRoom, next } = await startNode();
  const id = await dispatch();
  const call = await crew.model.next();
  const { nc, subjects } = joined.bus;
  await fill('log');
  call.reply('done');
  await isFull;
  const lost = next(/is lost/);
  nc.publish(subjects.of(id, 'steering'), 'use my work email');
  expect(await lost).toContain(`A steer to ${id} is lost`);
  // A sender that asks for an ack learns it from the server, so the node reports nothing.
  await expect(joined.crew.steer(id, { type: 'steer', text: 'once more' })).rejects.toMatchObject({ code: 'stream-full' });
  await free('log');
  await hasRoom;
  expect(said.filter((text) => /is lost/.test(text))).toHaveLength(1);
});

test('a task that cannot be claimed because the bus is full waits in the queue, and its claims are not counted', async () => {
  const id = await dispatch();
  await fill('state');
  const { isFull } = await startNode();
  await isFull;
  await free('state');
  (await crew.model.next()).reply('done');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
});

test('a node can leave while the write of its task waits: the task goes on elsewhere, and no lost worker is counted', async () => {
  let last = Promise.resolve();
  const id = await dispatch();
  for (let n = 0; n < 7; n++) {
    await last;
    const { node, isFull } = await startNode();
    const call = await crew.model.next();
    await fill('state');
    call.reply('done '.repeat(500));
    await isFull;
    await node.stop();
    expect((await readState(joined.bus, id))!.record.idleClaims).toBe(0);
    last = free('state').then(() => {});
  }
  await last;
  await startNode();
  (await crew.model.next()).reply('done');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'done' });
});

test('a parked task is woken once a full queue accepts writes again', async () => {
  await startNode();
  const id = await dispatch();
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  while ((await readState(joined.bus, id))!.record.phase !== 'parked');
  await joined.crew.dispatch({ type: 'nobody-does-this', instruction: 'takes room' });
  await fill('queue');
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
  await expect(dispatch()).rejects.toMatchObject({ code: 'stream-full' });
  await free('queue');
  (await crew.model.next()).reply('ok');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
});

test('a goal whose tickets do not fit the queue dispatches each sub-task once when the queue accepts writes again', async () => {
  const keys = Array.from({ length: 40 }, (_, n) => `part-${n}`);
  const id = await joined.crew.dispatch({
    type: 'supervisor',
    instruction: 'g',
    plan: { tasks: keys.map((key) => ({ key, type: 'reasoning', instruction: key })), reduce: { by: 'json' } },
  });
  await fill('queue');
  const { isFull } = await startNode({ rosterYaml: 'supervision: { concurrency: 40 }' });
  await isFull;
  await free('queue');
  crew.model.answer((call) => call.reply('done'));
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
  const asked = crew.model.calls.map((call) => call.texts('user').join());
  expect(keys.map((key) => asked.filter((text) => text === key).length)).toEqual(keys.map(() => 1));
});

test('a node on a full bus purges finished trees by the roster’s retention and goes on by itself', async () => {
  const { node } = await startNode();
  for (let n = 0; n < 3; n++) {
    const id = await dispatch();
    (await crew.model.next()).reply('done '.repeat(2_000));
    await joined.crew.result(id, never);
  }
  await node.stop();
  const id = await dispatch();
  const { isFull, hasRoom } = await startNode({ rosterYaml: 'retention: { finished_size: 1kB }' });
  const call = await crew.model.next();
  await fill('state');
  call.reply('done '.repeat(2_000));
  await isFull;
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  await hasRoom;
  expect((await joined.crew.tasks()).map((task) => task.id)).toEqual([id]);
});

test('a stream limit is set on all streams but the timers, outlasts clients without one, and drops nothing', async () => {
  const id = await dispatch('y'.repeat(3_000));
  const { subjects, jsm } = joined.bus;
  const before = await Promise.all([stateOf('queue'), stateOf('state')]);
  await startNode({ types: ['nobody-does-this'], rosterYaml: 'retention: { stream_size: 2kB }' });
  await crew.join();
  const limitOf = async (stream: string) => (await jsm.streams.info(stream)).config.max_bytes;
  expect(await Promise.all((['log', 'queue', 'state'] as const).map((name) => limitOf(streamOf(name))))).toEqual([
    2_000, 2_000, 2_000,
  ]);
  expect(await limitOf(subjects.timerStream)).toBe(-1);
  expect((await Promise.all([stateOf('queue'), stateOf('state')])).map(({ messages, bytes }) => [messages, bytes])).toEqual(
    before.map(({ messages, bytes }) => [messages, bytes]),
  );
  expect(await readState(joined.bus, id)).not.toBeNull();
  expect((await fullStreams(joined.bus)).map(({ name, isFull }) => [name, isFull])).toContainEqual(['state', true]);
});

test('a stream limit that exceeds the server’s storage fails with `stream-size`', async () => {
  await expect(limitStreams(joined.bus, 9e15)).rejects.toMatchObject({ code: 'stream-size' });
});

/**
 * A nats-server that is not embedded, with `maxBytes` of storage in all: once they are full it refuses every write to every
 * stream.
 */
async function smallServer(maxBytes: number): Promise<string> {
  const { path } = await obtainServerBinary({ folders: foldersOf(crew.env), env: crew.env, log: pino({ level: 'silent' }) });
  // It is stopped after the crew, whose folder is gone by then.
  const folder = await mkdtemp(join(tmpdir(), 'cox-small-'));
  const config = join(folder, 'small.conf');
  const jetstream = { store_dir: join(folder, 'small'), max_file_store: maxBytes };
  await writeFile(config, JSON.stringify({ listen: '127.0.0.1:-1', max_payload: 8_388_608, jetstream }));
  const server = spawn(path, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(server, 'exit');
  cleanUp = async () => {
    server.kill();
    await exited;
    await rm(folder, { recursive: true });
  };
  for await (const line of createInterface(server.stderr)) {
    const port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port) return `nats://127.0.0.1:${port}`;
  }
  throw new Error('the server never listened');
}

test('at the storage limit of the server all work waits, deadlines too, and a collection frees space', async () => {
  crew.env.NATS_URL = await smallServer(1_000_000);
  joined = await crew.join();
  const { jsm, js, subjects } = joined.bus;
  const { isFull } = await startNode();
  const old = await dispatch('old');
  (await crew.model.next()).reply('done '.repeat(10_000));
  await joined.crew.result(old, never);
  const deadlineAt = new Date(Date.now() + 3_600_000).toISOString();
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x', deadlineAt });
  const call = await crew.model.next();
  await jsm.streams.add({ name: 'filler', subjects: ['filler'] });
  const until = async (bytes: number) => {
    while ((await js.publish('filler', new Uint8Array(bytes)).catch(() => null)) !== null);
  };
  await until(50_000);
  await until(100);
  call.call('ask_operator', { question: 'Well?' });
  await isFull;
  await expect(dispatch()).rejects.toMatchObject({ code: 'stream-full' });
  await expect(joined.crew.steer(id, { type: 'steer', text: 'x' })).rejects.toMatchObject({ code: 'stream-full' });
  await expect(new Memory(joined.bus).remember('a', 'b', 'c')).rejects.toMatchObject({ code: 'stream-full' });
  const { purged } = await collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: null } });
  expect(purged.map(({ root }) => `${root}.0`)).toEqual([old]);
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  while ((await readState(joined.bus, id))!.record.phase !== 'parked');
  while (!(await jsm.streams.getMessage(subjects.timerStream, { last_by_subj: subjects.timer(id, 'set') })));
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
  (await crew.model.next()).reply('ok');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
});
