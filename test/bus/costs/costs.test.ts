/** The costs of finished and live trees, before and after they are purged, and after a collection that was killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { collect } from '../../../bus/capacity/retention.ts';
import { keptCosts } from '../../../bus/costs/cost-stream.ts';
import { allRecords } from '../../../bus/state/all-records.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { rootOf } from '../../../bus/task-id.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const rosterYaml = 'pricing: { reference: { input: 3, output: 15 } }';
const all = { finishedAfterMs: 0, finishedBytes: null };
const usage = (cost: number) => ({ prompt_tokens: 1_000, completion_tokens: 100, cost });

/** A goal of two sub-tasks and a reduction by a model: $0.01, $0.02 and $0.04. */
async function aGoal(): Promise<string> {
  const tasks = ['a', 'b'].map((key) => ({ key, type: 'reasoning', instruction: `Work on ${key}` }));
  const id = await joined.crew.dispatch({
    ...{ type: 'supervisor', instruction: 'The goal' },
    plan: { tasks, reduce: { by: 'orchestrator' as const, instruction: 'Join' } },
  });
  for (const [i, key] of ['a', 'b'].entries())
    (await crew.model.next((call) => call.texts('user').join().includes(`Work on ${key}`)))
      .say('done')
      .end([], usage(0.01 * (i + 1)));
  (await crew.model.next()).say('joined').end([], usage(0.04));
  await joined.crew.result(id, never);
  await acked(id);
  return id;
}
/** Workers ack after they have published the result, and a tree is purged only when all its tickets are acked. */
async function acked(id: string): Promise<void> {
  const { jsm, subjects } = joined.bus;
  for (const { ticketSeq } of await allRecords(joined.bus, `${rootOf(id)}.*`))
    while (await jsm.streams.getMessage(subjects.workStream, { seq: ticketSeq }));
}
const costOf = async (by: 'goal' | 'backend' | 'kind' | 'day') => (await joined.crew.costs({ by: [by] })).rows;

test('costs are summed up by backend, kind and goal, each call once, and stay the same when the tree is purged', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  const id = await aGoal();
  const before = await Promise.all([costOf('backend'), costOf('kind'), costOf('goal'), costOf('day')]);
  const [byBackend, byKind, byGoal] = before;
  expect(byBackend).toMatchObject([{ backend: 'main', inputTokens: 3_000, outputTokens: 300 }]);
  expect(byBackend[0]!.costUsd).toBeCloseTo(0.07);
  expect(byKind.map(({ kind, inputTokens, costUsd }) => [kind, inputTokens, costUsd.toFixed(2)])).toEqual([
    ['supervisor', 1_000, '0.04'],
    ['reasoning', 2_000, '0.03'],
  ]);
  expect(byGoal).toMatchObject([{ root: rootOf(id), goal: 'The goal' }]);
  expect((await collect(joined.bus, { keep: all })).purged.length).toBe(1);
  expect(await joined.crew.tasks()).toEqual([]);
  expect(await Promise.all([costOf('backend'), costOf('kind'), costOf('goal'), costOf('day')])).toEqual(before);
});

test('a running task counts with what it has used so far', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'x' });
  (await crew.model.next()).end([{ tool: 'list_files', args: {} }], usage(0.5));
  await crew.model.next();
  expect(await costOf('backend')).toMatchObject([{ backend: 'main', costUsd: 0.5 }]);
  await joined.crew.steer(id, { type: 'cancel' });
  await joined.crew.result(id, never);
});

test('a collection that is killed around the write keeps the costs exactly once, and a later one does not lessen them', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  const id = await aGoal();
  const before = await costOf('kind');
  const cox = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
  // After `purge:after#3` the records of the sub-tasks are gone, and the next collection finds the goal's alone.
  for (const COX_CRASH_AT of ['costs:before#1', 'costs:after#1', 'purge:after#3']) {
    const child = spawn(process.execPath, [cox, 'gc', '--older-than', '0s'], {
      env: { ...crew.env, COX_CRASH_AT },
      cwd: crew.folder,
      stdio: 'ignore',
    });
    const [, signal] = await once(child, 'exit');
    expect([COX_CRASH_AT, signal]).toEqual([COX_CRASH_AT, 'SIGKILL']);
    expect([COX_CRASH_AT, await costOf('kind')]).toEqual([COX_CRASH_AT, before]);
    expect(await readState(joined.bus, id)).not.toBeNull();
  }
  await collect(joined.bus, { keep: all });
  expect(await joined.crew.tasks()).toEqual([]);
  expect(await costOf('kind')).toEqual(before);
  expect((await keptCosts(joined.bus)).size).toBe(1);
});

test('a tree without costs leaves no message and no stream', async () => {
  await crew.node(joined, { types: ['ghost'] });
  const id = await joined.crew.dispatch({ type: 'ghost', instruction: 'x' });
  await joined.crew.result(id, never);
  await acked(id);
  expect((await collect(joined.bus, { keep: all })).purged.length).toBe(1);
  await expect(joined.bus.jsm.streams.info(joined.bus.subjects.costStream)).rejects.toThrow();
  expect(await joined.crew.costs()).toMatchObject({ rows: [], total: { costUsd: 0 }, more: 0, reference: null });
});

test('where there is no room for the costs the records stay, and the next collection purges them', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  await aGoal();
  const before = await costOf('kind');
  const { jsm, subjects } = joined.bus;
  await jsm.streams.add({ name: subjects.costStream, subjects: [subjects.costs('*')], max_bytes: 10, discard: 'new' as never });
  expect((await collect(joined.bus, { keep: all })).purged).toEqual([]);
  expect((await joined.crew.tasks()).length).toBe(3);
  expect(await costOf('kind')).toEqual(before);
  await jsm.streams.update(subjects.costStream, { max_bytes: -1 });
  expect((await collect(joined.bus, { keep: all })).purged.length).toBe(1);
  expect(await costOf('kind')).toEqual(before);
});

test('messages of strangers in the ledger are passed over', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  await aGoal();
  await collect(joined.bus, { keep: all });
  const before = await costOf('backend');
  const { js, subjects } = joined.bus;
  const line = { day: '2026-11-27', backend: 'x', kind: 'x', inputTokens: 1, outputTokens: 1, costUsd: 1e6 };
  for (const [i, text] of [
    '',
    '{',
    '[]',
    JSON.stringify({ root: 'other', goal: '', lines: [line] }),
    JSON.stringify({ root: 'bad4', goal: '', lines: [{ ...line, costUsd: -1 }] }),
  ].entries())
    await js.publish(subjects.costs(`bad${i}`), text);
  expect(await costOf('backend')).toEqual(before);
});

test('the verb costs answers with the reference of the roster of the node, and refuses what it does not know', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml });
  await aGoal();
  const ask = async (request: object) =>
    (await joined.bus.nc.request(`${joined.bus.subjects.api()}.costs`, JSON.stringify(request))).json<Record<string, never>>();
  const { rows, total, reference } = (await ask({ by: ['day', 'backend'] })) as never as Awaited<
    ReturnType<typeof joined.crew.costs>
  >;
  expect(reference).toEqual({ input: 3, output: 15 });
  expect(rows).toMatchObject([{ day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), backend: 'main' }]);
  // 3,000 tokens at $3 and 300 at $15 per million, less $0.07.
  expect(total.referenceUsd).toBeCloseTo(0.0135);
  expect(total.savedUsd).toBeCloseTo(0.0135 - 0.07);
  expect(await ask({ by: ['colour'] })).toMatchObject({ code: 'bad-request' });
  expect(await ask({ since: '2999-01-01T00:00:00Z' })).toMatchObject({ rows: [], total: { costUsd: 0 } });
});
