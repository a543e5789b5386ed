/** A tree as one file: what goes into it, what comes out of it, and what is refused. */
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type Exported, exportLines } from '../../../bus/archive/export-tree.ts';
import { importTree } from '../../../bus/archive/import-tree.ts';
import { archiveLines } from '../../../bus/archive/read-archive.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { planUndo } from '../../../bus/undo.ts';
import { filesOfStep, writeFilesOfStep } from '../../../cli/fork-files.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

const secret = 'sk-abcdefghijklmnop123';
let crew: TestCrew;
let joined: CrewSession;
let goal: string;
let lines: string[];
let calls = 0;
const told: Exported = { tasks: 0, messages: 0, artifacts: 0, redacted: [] };
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { rosterYaml: 'tools: { gated: [] }', quietMs: 20 });
  crew.model.answer((call) => {
    calls++;
    if (call.texts('tool').length === 0) call.call('write_file', { path: 'a.txt', text: 'one', token: 'abc' });
    else call.reply(`the key is ${secret}`);
  });
  const tasks = [{ key: 'a', type: 'files', instruction: `Use ${secret}`, backend: 'main' }];
  goal = await joined.crew.dispatch({ type: 'supervisor', instruction: 'a goal', plan: { tasks, reduce: { by: 'concat' } } });
  await joined.crew.result(goal, never);
  const child = (await joined.crew.tree(goal))[1]!.id!;
  const place = { task: child, call: 's1-0', n: 'made-0' } as const;
  await new Artifacts(joined.bus).store(place, { name: 'a.txt', type: 'text/plain', bytes: Buffer.from(`see ${secret}`) });
  lines = await Array.fromAsync(exportLines(joined.bus, goal, {}, told));
});
afterAll(() => crew.stop());

let files = 0;
async function file(content: Uint8Array | string): Promise<string> {
  const path = join(crew.folder, `${++files}.cox.gz`);
  await writeFile(path, content);
  return path;
}
/** A file whose last line fits the lines before it. */
function sealed(of: readonly string[]): Buffer {
  const before = of.slice(0, -1);
  const end = JSON.parse(of.at(-1)!);
  const sha256 = createHash('sha256').update(before.join('')).digest('hex');
  return gzipSync(`${before.join('')}${JSON.stringify({ ...end, lines: before.length, sha256 })}\n`);
}
// biome-ignore lint/suspicious/noExplicitAny: lines of every kind.
const changed = (kind: string, change: (line: Record<string, any>) => object) =>
  sealed(lines.map((line) => (JSON.parse(line).kind === kind ? `${JSON.stringify(change(JSON.parse(line)))}\n` : line)));

test('no secret is in the file, and the places where one was are listed', () => {
  expect(lines.join('')).not.toContain(secret);
  expect(lines.join('')).not.toContain('"token":"abc"');
  expect(told).toMatchObject({ tasks: 2, artifacts: 2 });
  expect(told.redacted).toContainEqual(expect.stringMatching(/\.1 result.output$/));
  expect(told.redacted).toContainEqual(expect.stringMatching(/made-0$/));
  expect(JSON.parse(lines.at(-1)!).redacted).toEqual(told.redacted);
  // The key of a node of a plan is no secret.
  expect(lines.join('')).toContain('"key":"a"');
});

test('an imported tree has another root where its own is taken, and everything that reads shows it', async () => {
  const { id, was, tasks, artifacts, unfinished } = await importTree(joined.bus, await file(sealed(lines)));
  expect([was, tasks, artifacts, unfinished]).toEqual([goal, 2, 2, 0]);
  expect(id).not.toBe(goal);
  const [root] = id.split('.');
  const [top, child] = await joined.crew.tree(id);
  expect([top!.id, child!.id, child!.key, child!.outcome]).toEqual([id, `${root}.1`, 'a', 'completed']);
  expect((await joined.crew.result(child!.id!, never)).output).toBe('the key is [Redacted]');
  expect((await joined.crew.artifactPage(id)).rows.map(({ ref }) => ref)).toEqual([`${root}.1/s1-0/0`, `${root}.1/s1-0/made-0`]);
  expect(Buffer.from((await joined.crew.artifact(`${root}.1/s1-0/made-0`)).content).toString()).toBe('see [Redacted]');
  const journal = await joined.crew.journal({ task: child!.id! });
  expect(journal.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
    [1, 'replied'],
    [2, 'replied'],
  ]);
  expect(journal.archived).toBe(goal.replace('.0', '.1'));
});

test('an imported tree costs nothing here', async () => {
  const before = await joined.crew.costs();
  await importTree(joined.bus, await file(sealed(lines)));
  expect(before.total.inputTokens).toBeGreaterThan(0);
  expect(await joined.crew.costs()).toEqual(before);
});

test('an imported tree is not run, woken, swept, undone or steered', async () => {
  const unfinished = changed('record', (line) => ({
    ...line,
    record: {
      ...line.record,
      phase: line.record.id === goal ? 'parked' : 'held',
      result: null,
      last: { ...line.record.last, outcome: null, state: 'thinking' },
    },
  }));
  const before = calls;
  const { id, unfinished: count } = await importTree(joined.bus, await file(unfinished));
  expect(count).toBe(2);
  const record = (await readState(joined.bus, id))!.record;
  expect([record.phase, record.result?.outcome, record.last?.outcome]).toEqual(['done', 'cancelled', 'cancelled']);
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'go on' });
  const receipts = await Array.fromAsync(joined.crew.receipts(id, sent, never));
  expect(receipts.at(-1)).toMatchObject({ fate: 'returned' });
  await expect(planUndo(joined.crew, id, null)).rejects.toMatchObject({ code: 'usage' });
  expect(calls).toBe(before);
});

test('a fork of an imported task has neither its folder, nor what was allowed to it, nor its limits and its judge', async () => {
  const foreign = changed('record', (line) => ({
    ...line,
    record: {
      ...line.record,
      spec: {
        ...{ ...line.record.spec, workspace: '/home/somebody', allowed: ['write_file'] },
        ...{ limits: { steps: 10_000, costUsd: 9_999 }, expect: { that: 'It is good.', backend: 'dear' } },
      },
    },
  }));
  const { id } = await importTree(joined.bus, await file(foreign));
  const fork = await joined.crew.fork(id.replace('.0', '.1'), { step: 1 });
  const { spec } = (await readState(joined.bus, fork))!.record;
  expect(spec.limits).toEqual({});
  expect(spec).toMatchObject({
    expect: { backend: null },
    workspace: null,
    allowed: [],
    approval: 'every-effect',
  });
  await joined.crew.steer(fork, { type: 'cancel' });
});

test('no file of this machine comes into the folder of a fork of an imported task', async () => {
  await writeFile(join(crew.folder, 'own.txt'), 'of this machine');
  const foreign = changed('record', (line) => {
    const { record } = line;
    const snapshot = record.snapshot && { ...record.snapshot, context: { ...record.snapshot.context, sources: ['own.txt'] } };
    return { ...line, record: { ...record, spec: { ...record.spec, workspace: crew.folder }, snapshot } };
  });
  const { id } = await importTree(joined.bus, await file(foreign));
  const files = await filesOfStep(joined.crew, id.replace('.0', '.1'), 2);
  const folder = join(crew.folder, 'fork');
  expect((await writeFilesOfStep(joined.crew, files, folder)).written).not.toContain('own.txt');
  expect(await readdir(folder)).not.toContain('own.txt');
});

const bomb = () => gzipSync(Buffer.alloc(80 * 2 ** 20, 'a'));
test.each<[string, () => Uint8Array, RegExp]>([
  ['what is no gzip', () => Buffer.from('hello'), /not gzip/],
  ['a part of a file', () => sealed(lines).subarray(0, 800), /only a part/],
  ['a file without its end', () => gzipSync(lines.slice(0, -1).join('')), /its end is missing/],
  ['a file with a cut line', () => gzipSync(lines.join('').slice(0, -10)), /last line is not whole/],
  [
    'a line that nobody has written',
    () => gzipSync([...lines.slice(0, 2), lines[1]!, ...lines.slice(2)].join('')),
    /not those that were written/,
  ],
  [
    'a line that somebody has changed',
    () => gzipSync(lines.join('').replace('a goal', 'no goal')),
    /not those that were written/,
  ],
  ['lines after the end', () => gzipSync(`${lines.join('')}{}\n`), /something follows/],
  ['an empty file', () => gzipSync(''), /its end is missing/],
  ['other JSON', () => gzipSync('{"a":1}\n'), /does not begin with the head/],
  ['no JSON', () => gzipSync('{{{\n'), /line 1 is not JSON/],
  ['a later format', () => changed('head', (line) => ({ ...line, format: 2 })), /has the format 2/],
  ['a bomb', bomb, /a line has more than/],
  [
    'an id with a path in it',
    () => changed('record', (line) => ({ ...line, record: { ...line.record, id: '../../x' } })),
    /line \d+/,
  ],
  [
    'a record of another tree',
    () => changed('record', (line) => ({ ...line, record: { ...line.record, id: 'zzzz.0' } })),
    /another tree/,
  ],
  ['a task twice', () => changed('record', (line) => ({ ...line, record: { ...line.record, id: goal } })), /twice/],
  ['an artifact with wildcards in its name', () => changed('artifact', (line) => ({ ...line, ref: `${goal}/*/0` })), /line \d+/],
  [
    'a content that is not what its head says',
    () => changed('part', (line) => ({ ...line, base64: 'AAAA' })),
    /not what its head says/,
  ],
  ['a head of another tree', () => changed('head', (line) => ({ ...line, id: 'zzzz.0' })), /another tree/],
  [
    'no record of its task',
    () => sealed(lines.filter((line) => !line.includes(`"record":{"id":"${goal}"`))),
    /no record of the task/,
  ],
])('%s is refused, and nothing is written', async (_, content, words) => {
  const before = (await joined.crew.tasks()).length;
  const refused = importTree(joined.bus, await file(content()));
  await expect(refused).rejects.toMatchObject({
    code: expect.stringMatching(/^bad-archive/),
    message: expect.stringMatching(words),
  });
  expect((await joined.crew.tasks()).length).toBe(before);
});

test('a file that unpacks to more than is allowed is given up before that', async () => {
  const many = gzipSync(`${lines[0]}${'\n'.repeat(10_000)}`);
  const read = Array.fromAsync(archiveLines(await file(many), { lineBytes: 4_096, allBytes: 8_192 }));
  await expect(read).rejects.toMatchObject({ code: 'bad-archive' });
  await expect(importTree(joined.bus, join(crew.folder, 'none.gz'))).rejects.toMatchObject({ code: 'bad-file' });
});
