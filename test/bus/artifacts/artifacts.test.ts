/** Artifacts on a real server: what is kept stays, also when its writer is killed, and goes with its tree. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { artifactName, parseArtifactName } from '../../../bus/artifacts/artifact-name.ts';
import { Artifacts, maxArtifactBytes } from '../../../bus/artifacts/artifacts.ts';
import { wholeOf } from '../../../bus/artifacts/long-text.ts';
import { Backpressure } from '../../../bus/capacity/backpressure.ts';
import { collect } from '../../../bus/capacity/retention.ts';
import { fullStreams, limitStreams } from '../../../bus/capacity/stream-limits.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let artifacts: Artifacts;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  artifacts = new Artifacts(joined.bus);
});
afterEach(() => crew.stop());

const place = (call: string, task = 'k3xq.1') => ({ task, call, n: 0 });
const name = (call: string, task?: string) => artifactName(place(call, task));
const letters = (letter: string, bytes = 100) => new Uint8Array(Buffer.alloc(bytes, letter));
const subjectsOf = async (root = 'k3xq') => {
  const { jsm, subjects } = joined.bus;
  const { state } = await jsm.streams.info(subjects.artifactStream, { subjects_filter: subjects.everyArtifact(root) });
  return Object.keys(state.subjects ?? {});
};

test.each([
  ['an empty file', new Uint8Array()],
  ['a small file', new TextEncoder().encode('grüezi\r\n')],
  ['a file of exactly one part', letters('x', 256 * 1024)],
  ['a file of many parts', Buffer.concat([letters('a', 256 * 1024), letters('b', 3_000_001)])],
])('%s comes back as it was, with its mode', async (_, bytes) => {
  await artifacts.keep(place('s1-0'), { bytes, mode: 0o100754 });
  const { bytes: back, mode } = (await new Artifacts(joined.bus).read(name('s1-0')))!;
  expect(Buffer.compare(back, bytes)).toBe(0);
  expect(mode).toBe(0o754);
});

test('that there was nothing is kept too', async () => {
  expect(await artifacts.keep(place('s1-0'), null)).toBeNull();
  expect(await artifacts.keep(place('s1-0'), { bytes: letters('x') })).toBeNull();
  expect(await artifacts.read(name('s1-0'))).toBeNull();
});

test('what was kept first stays, and whoever keeps again gets it', async () => {
  await artifacts.keep(place('s1-0'), { bytes: letters('a'), mode: 0o600 });
  expect(await artifacts.keep(place('s1-0'), { bytes: letters('b') })).toEqual({ bytes: Buffer.from(letters('a')), mode: 0o600 });
  const both = await Promise.all(['c', 'd'].map((letter) => artifacts.keep(place('s2-0'), { bytes: letters(letter) })));
  const kept = await artifacts.read(name('s2-0'));
  for (const each of both) expect(Buffer.compare(each!.bytes, kept!.bytes)).toBe(0);
});

/** Runs the keeper and kills it at a point. @returns whether it got there. */
async function keeper(crashAt: string | null, ...args: readonly string[]): Promise<boolean> {
  const file = fileURLToPath(new URL('keeper.ts', import.meta.url));
  const env = { ...crew.env, ...(crashAt !== null && { COX_CRASH_AT: crashAt }) };
  const [, signal] = await once(spawn(process.execPath, [file, ...args], { env, stdio: 'ignore' }), 'exit');
  return signal === 'SIGKILL';
}

test('a writer that is killed before the head leaves nothing that can be read, and the next run keeps what is there now', async () => {
  // Three parts, then the head.
  expect(await keeper('artifact:after#2', 's1-0', String(600 * 1024), 'a')).toBe(true);
  await expect(artifacts.read(name('s1-0'))).rejects.toMatchObject({ code: 'artifact-gone' });
  const now = await artifacts.keep(place('s1-0'), { bytes: letters('b') });
  expect(Buffer.compare(now!.bytes, letters('b'))).toBe(0);
  expect(Buffer.compare((await artifacts.read(name('s1-0')))!.bytes, letters('b'))).toBe(0);
});

test('a writer that is killed after the head has kept what there was', async () => {
  expect(await keeper('artifact:after#4', 's1-0', String(600 * 1024), 'a')).toBe(true);
  const kept = await artifacts.keep(place('s1-0'), { bytes: letters('b') });
  expect(Buffer.compare(kept!.bytes, letters('a', 600 * 1024))).toBe(0);
});

test('nothing is created before the first artifact, and a name that is none is not read', async () => {
  await expect(joined.bus.jsm.streams.info(joined.bus.subjects.artifactStream)).rejects.toMatchObject({ code: 10059 });
  for (const wrong of ['', 'k3xq.1/s1-0', 'k3xq.*/s1-0/0', 'k3xq.1/>/0', 'k3xq.1/a.b/0', 'k3xq.1/s1-0/00', name('s1-0')]) {
    await expect(artifacts.read(wrong)).rejects.toMatchObject({ code: 'artifact-gone' });
    expect(wrong === name('s1-0') || parseArtifactName(wrong) === null).toBe(true);
  }
});

test('a content above the limit is refused, and a stranger’s message in the place of an artifact is reported', async () => {
  const tooMuch = new Uint8Array(maxArtifactBytes + 1);
  await expect(artifacts.keep(place('s1-0'), { bytes: tooMuch })).rejects.toMatchObject({ code: 'artifact-too-big' });
  await artifacts.keep(place('s1-0'), { bytes: letters('a') });
  await joined.bus.js.publish(joined.bus.subjects.artifactHead(place('s2-0')), 'no head');
  await expect(artifacts.keep(place('s2-0'), { bytes: letters('a') })).rejects.toMatchObject({ code: 'bad-artifact' });
  const part = (await subjectsOf()).find((subject) => !subject.endsWith('.head'))!;
  await joined.bus.js.publish(part, 'other bytes');
  await expect(artifacts.read(name('s1-0'))).rejects.toMatchObject({ code: 'bad-artifact' });
});

async function finished(): Promise<string> {
  const node = await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await joined.crew.result(id, never);
  await node.stop();
  const { ticketSeq } = (await readState(joined.bus, id))!.record;
  while (await joined.bus.jsm.streams.getMessage(joined.bus.subjects.workStream, { seq: ticketSeq }));
  return id;
}

test('artifacts count to the size of their tree and are purged with it, with parts that never got a head', async () => {
  const id = await finished();
  const [root = ''] = id.split('.');
  const keep = { finishedAfterMs: 0, finishedBytes: null };
  const sized = async () => (await collect(joined.bus, { keep, dryRun: true })).purged[0]!.bytes;
  const bare = await sized();
  await artifacts.keep(place('s1-0', id), { bytes: letters('a', 50_000) });
  await joined.bus.js.publish(joined.bus.subjects.artifactPart(place('s2-0', id), 'ab', 0), letters('b', 30_000));
  // An unfinished task: its artifacts stay.
  const live = await joined.crew.dispatch({ type: 'reasoning', instruction: 'y' });
  await artifacts.keep(place('s1-0', live), { bytes: letters('c') });
  expect((await sized()) - bare).toBeGreaterThan(80_000);
  expect((await sized()) - bare).toBeLessThan(82_000);
  expect((await collect(joined.bus, { keep })).purged).toHaveLength(1);
  expect(await subjectsOf(root)).toEqual([]);
  expect(Buffer.compare((await artifacts.read(name('s1-0', live)))!.bytes, letters('c'))).toBe(0);
});

test('what calls made, and long results, are purged with their tree', async () => {
  const id = await finished();
  const made = { name: 'a.png', type: 'image/png', bytes: letters('a', 300_000) };
  await artifacts.store({ ...place('s1-0', id), n: 'made-0' }, made);
  const whole = await wholeOf(artifacts, id, 'long '.repeat(10_000));
  const preview = { ...place('s1-0', id), n: `preview-${'a'.repeat(16)}` } as const;
  await artifacts.store(preview, made);
  expect((await joined.crew.artifactPage(id)).rows.map(({ kind }) => kind)).toEqual(['result', 'made', 'preview']);
  expect((await collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: null } })).purged).toHaveLength(1);
  expect(await subjectsOf(id.split('.')[0]!)).toEqual([]);
  await expect(artifacts.readMade(whole!.ref)).rejects.toMatchObject({ code: 'artifact-gone' });
  await expect(joined.crew.artifactPage(id)).rejects.toMatchObject({ code: 'unknown-task' });
});

test('a list shows damaged heads, and pages begin where the last one ended although rows were purged', async () => {
  const { js, jsm, subjects } = joined.bus;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  for (const call of ['s1-0', 's2-0', 's10-0'])
    await artifacts.store({ ...place(call, id), n: 'made-0' }, { name: call, type: 'a/b', bytes: letters('a') });
  const forged = { ...place('s3-0', id), n: 'made-0' } as const;
  await js.publish(subjects.artifactHead(forged), 'no head');
  // A subject that is no artifact's is left out.
  await js.publish(`${subjects.namespace}.artifacts.${id}.s4-0.made-x.head`, 'no head');
  const calls = (rows: readonly { readonly call: string }[]) => rows.map(({ call }) => call);
  const first = await joined.crew.artifactPage(id, { limit: 2 });
  expect([calls(first.rows), first.more]).toEqual([['s1-0', 's2-0'], 2]);
  await jsm.streams.purge(subjects.artifactStream, { filter: subjects.artifactHead({ ...place('s2-0', id), n: 'made-0' }) });
  const second = await joined.crew.artifactPage(id, { after: first.next! });
  expect(calls(second.rows)).toEqual(['s3-0', 's10-0']);
  expect(second).toMatchObject({ rows: [{ damaged: true, bytes: 0, sha256: null }, { name: 's10-0' }], next: null, more: 0 });
  await expect(artifacts.store(forged, { name: 'a', type: 'a/b', bytes: letters('a') })).rejects.toMatchObject({
    code: 'bad-artifact',
  });
});

test('a page has no more bytes than it may', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  for (let n = 0; n < 5; n++)
    await artifacts.store({ ...place('s1-0', id), n: `made-${n}` }, { name: 'a', type: 'a/b', bytes: letters('a') });
  const seen: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await joined.crew.artifactPage(id, { ...(after && { after }) }, 700);
    expect(page.rows.length).toBeLessThan(4);
    seen.push(...page.rows.map(({ ref }) => ref));
    after = page.next;
  }
  expect(seen).toEqual(Array.from({ length: 5 }, (_, n) => `${id}/s1-0/made-${n}`));
});

test('artifacts alone can bring a tree above the roster’s size for finished trees', async () => {
  const id = await finished();
  const keep = { finishedAfterMs: null, finishedBytes: 100_000 };
  expect((await collect(joined.bus, { keep })).purged).toEqual([]);
  await artifacts.keep(place('s1-0', id), { bytes: letters('a', 100_001) });
  expect((await collect(joined.bus, { keep })).purged).toHaveLength(1);
});

test('artifacts of a task that is not there are purged once they are old', async () => {
  await artifacts.keep(place('s1-0'), { bytes: letters('a') });
  const hour = { finishedAfterMs: 3_600_000, finishedBytes: null };
  expect((await collect(joined.bus, { keep: hour })).strays).toBe(0);
  const old = { finishedAfterMs: 0, finishedBytes: null };
  expect((await collect(joined.bus, { keep: old, dryRun: true })).strays).toBe(2);
  expect((await collect(joined.bus, { keep: old })).strays).toBe(2);
  await expect(artifacts.read(name('s1-0'))).rejects.toMatchObject({ code: 'artifact-gone' });
});

test('where the artifacts are full, a client is refused and a node waits until a purge has made space', async () => {
  await artifacts.keep(place('s1-0'), { bytes: letters('a', 200_000) });
  await limitStreams(joined.bus, 200_000);
  expect(await fullStreams(joined.bus)).toMatchObject([{ name: 'artifacts', isFull: true }]);
  await expect(artifacts.keep(place('s2-0'), { bytes: letters('b') })).rejects.toMatchObject({ code: 'stream-full' });
  const full = Promise.withResolvers<void>();
  const backpressure = new Backpressure({ log: pino({ level: 'silent' }), onChange: (what) => what && full.resolve() });
  const kept = new Artifacts({ ...joined.bus, backpressure }).keep(place('s2-0'), { bytes: letters('b') });
  await full.promise;
  await expect(artifacts.read(name('s2-0'))).rejects.toMatchObject({ code: 'artifact-gone' });
  await collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: null } });
  await kept;
  expect(Buffer.compare((await artifacts.read(name('s2-0')))!.bytes, letters('b'))).toBe(0);
});

test('a task that ends while the bus is full keeps nothing more', async () => {
  await artifacts.keep(place('s1-0'), null);
  await limitStreams(joined.bus, 1);
  const full = Promise.withResolvers<void>();
  const backpressure = new Backpressure({ log: pino({ level: 'silent' }), onChange: (what) => what && full.resolve() });
  const ended = new AbortController();
  const kept = new Artifacts({ ...joined.bus, backpressure }).keep(place('s2-0'), null, ended.signal);
  await full.promise;
  ended.abort();
  await expect(kept).rejects.toMatchObject({ name: 'AbortError' });
});
