/**
 * Collections that die: `cox gc` is killed before the first purge, then after it, then after the second and so on, with trees of
 * every sort. Live trees are untouched and finish in the end. Half-purged trees never run, and the last collection removes all of
 * them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { enqueue } from '../../bus/queue/task-queue.ts';
import { allRecords } from '../../bus/state/all-records.ts';
import { readState } from '../../bus/state/state-store.ts';
import { rootOf } from '../../bus/task-id.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never, statusWhere } from '../support/watching.ts';
import { dice, seed, shuffled } from './crash-matrix/chance.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const cox = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** @returns whether the process was killed at the point. */
async function gc(crashAt: string | null): Promise<boolean> {
  const env = { ...crew.env, ...(crashAt !== null && { COX_CRASH_AT: crashAt }) };
  const child = spawn(process.execPath, [cox, 'gc', '--older-than', '0s', '--json'], { env, cwd: crew.folder, stdio: 'ignore' });
  const [code, signal] = await once(child, 'exit');
  if (signal === null) expect(code).toBe(0);
  return signal === 'SIGKILL';
}

/** Subjects of a tree with their numbers of messages, in every stream. */
async function standing(root: string): Promise<Record<string, number>> {
  const { jsm, subjects } = joined.bus;
  const streams = [subjects.logStream, `KV_${subjects.stateBucket}`, subjects.timerStream, subjects.artifactStream];
  const each = await Promise.all(
    streams.map(async (name) => (await jsm.streams.info(name, { subjects_filter: '>' })).state.subjects ?? {}),
  );
  const all = Object.entries(Object.assign({}, ...each) as Record<string, number>);
  return Object.fromEntries(all.filter(([subject]) => subject.split('.').includes(root)).sort());
}

const isAbout = (text: string) => (call: { texts(role: string): string[] }) => call.texts('user').join().includes(text);
const goal = (keys: readonly string[]) => ({
  type: 'supervisor',
  instruction: 'goal',
  plan: {
    tasks: keys.map((key) => ({ key: key.replace(' ', '-'), type: 'reasoning', instruction: key })),
    reduce: { by: 'concat' as const },
  },
});
type Made = { readonly id: string; finish(): Promise<void> };

/** Ways to make a finished tree; `live` has ways to make one that is not. */
const finished: (() => Promise<string>)[] = [
  async () => {
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'kept' });
    await new Artifacts(joined.bus).keep({ task: id, call: 's1-0', n: 0 }, { bytes: Buffer.from('old') });
    (await crew.model.next(isAbout('kept'))).reply('done');
    return id;
  },
  async () => {
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'quick' });
    (await crew.model.next(isAbout('quick'))).reply('done');
    return id;
  },
  async () => {
    const id = await joined.crew.dispatch(goal(['part one', 'part two']));
    for (const key of ['part one', 'part two']) (await crew.model.next(isAbout(key))).reply('done');
    return id;
  },
  async () => {
    const id = await joined.crew.dispatch({
      type: 'reasoning',
      instruction: 'with a deadline',
      deadlineAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    (await crew.model.next(isAbout('with a deadline'))).call('ask_operator', { question: 'Well?' });
    const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
    await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
    (await crew.model.next(isAbout('with a deadline'))).reply('done');
    return id;
  },
];
const live: (() => Promise<Made>)[] = [
  async () => {
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'long' });
    const call = await crew.model.next(isAbout('long'));
    return { id, finish: async () => call.reply('done') };
  },
  async () => {
    const id = await joined.crew.dispatch(goal(['ready soon', 'takes time']));
    (await crew.model.next(isAbout('ready soon'))).reply('done');
    const call = await crew.model.next(isAbout('takes time'));
    return { id, finish: async () => call.reply('done') };
  },
  async () => {
    const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'curious' });
    (await crew.model.next(isAbout('curious'))).call('ask_operator', { question: 'Well?' });
    const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
    const finish = async () => {
      await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
      (await crew.model.next(isAbout('curious'))).reply('done');
    };
    return { id, finish };
  },
];

/** Waits until only the test’s own tasks are in flight: tickets are acked, parked tasks are parked. */
async function atRest(running: number): Promise<void> {
  const { jsm, subjects } = joined.bus;
  while ((await jsm.streams.info(subjects.workStream)).state.messages > running);
}

test(`a collection killed between two purges is completed by the next, and no purged task runs (COX_SEED=${seed})`, async () => {
  const roll = dice(seed);
  const pick = <T>(all: readonly T[]): T => all[roll(all.length)]!;
  const node = await crew.node(joined, { quietMs: 20, slots: 32 });
  const gone: string[] = [];
  const kept: Made[] = [];
  // One tree of each sort and some more, in random order.
  const makers = [...finished, pick(finished)].map((make) => async () => {
    const id = await make();
    await joined.crew.result(id, never);
    gone.push(id);
  });
  const others = [...live, pick(live)].map((make) => async () => void kept.push(await make()));
  for (const make of shuffled([...makers, ...others], roll)) await make();
  const parked = async () => (await allRecords(joined.bus, '>')).filter(({ phase }) => phase === 'parked').length;
  const asking = (await joined.crew.tasks()).filter(({ question }) => question !== null).length;
  const goals = (await joined.crew.tasks()).filter(({ type, outcome }) => type === 'supervisor' && outcome === null).length;
  while ((await parked()) < asking + goals);
  await atRest(kept.length - asking);
  const rows = await Promise.all(gone.map(async (id) => (await readState(joined.bus, id))!.record));
  const before = await Promise.all(kept.map(({ id }) => standing(rootOf(id))));
  const calls = crew.model.calls.length;
  const leftOvers = async () =>
    (await Promise.all(gone.map((id) => standing(rootOf(id))))).filter((it) => Object.keys(it).length > 0).length;
  let crashes = 0;
  // Every collection begins with the oldest tree that is left, and is killed one purge later each time, until that tree is gone.
  for (let nth = 0, left = gone.length; await gc(nth === 0 ? 'purge:before#1' : `purge:after#${nth}`); ) {
    crashes++;
    const still = await leftOvers();
    nth = still < left ? 1 : nth + 1;
    left = still;
    expect(await Promise.all(kept.map(({ id }) => standing(rootOf(id))))).toEqual(before);
    // A late ticket of a tree that may be half purged. The node takes it at once.
    const { id, spec, run } = pick(rows);
    await enqueue(joined.bus, spec.type, 'pending', { id, run: pick([1, run, run + 1]), ...(roll(2) === 0 && { spec }) });
    await atRest(kept.length - asking);
    expect(crew.model.calls).toHaveLength(calls);
  }
  // Three purges for each tree, one more for a tree of several records (unless a crash came between these), and one before all.
  expect(crashes).toBeGreaterThanOrEqual(1 + 4 * 3);
  await gc(null);
  for (const id of gone) expect(await standing(rootOf(id))).toEqual({});
  expect(await Promise.all(kept.map(({ id }) => standing(rootOf(id))))).toEqual(before);
  for (const { id, finish } of kept) {
    await finish();
    expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  }
  await node.stop();
});
