/** What a result says was done: from the commits of the task, whatever its model claims. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Kind } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { defineTool, Outdated } from '../../../actors/tools/tool.ts';
import type { SteeringInput } from '../../../bus/messages.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let node: CrewSession;
let folder: string;
let clerk: Kind;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  folder = crew.folder;
  const there = (path: string) => readFile(join(folder, path), 'utf8').catch(() => null);
  // The roster of the tests has the default policy: `write_file` needs approval.
  const write = defineTool({
    name: 'write_file',
    description: 'Writes a file.',
    args: z.object({ path: z.string(), text: z.string() }),
    effects: 'idempotent',
    target: ({ path }) => path,
    preview: async ({ path, text }) => {
      if (path.startsWith('..')) throw new Error(`${path} is outside`);
      const before = await there(path);
      return { text: `${before === null ? 'new' : `replaces ${before}`}: ${text}`, base: String(before) };
    },
    run: async ({ path, text }, { base }) => {
      const before = await there(path);
      if (base !== undefined && base !== String(before)) throw new Outdated(`${path} has changed`);
      await writeFile(join(folder, path), text);
      return {
        text: 'written',
        changes: [{ target: path, kind: before === null ? 'created' : 'changed', added: 1, removed: 0 }],
      };
    },
  });
  const look = defineTool({
    name: 'look',
    description: 'Looks.',
    args: z.object({ path: z.string() }),
    effects: 'none',
    run: async ({ path }) => ({ text: 'seen', sources: [path] }),
  });
  const limits = { steps: 10, failures: 3, repeats: 3, costUsd: null };
  clerk = { name: 'clerk', prompt: 'You write.', tools: [write, look], needs: [], limits };
  node = await crew.join('node-1');
  const check = (answer: string) => (/^\d+$/.test(answer) ? null : 'the answer must have only digits');
  const counter: Kind = { ...clerk, name: 'counter', tools: [], check };
  await crew.node(node, { kinds: [clerk, counter], quietMs: 20, leaseMs: 1_000 });
});
afterEach(() => crew.stop());

const dispatch = (more: object = {}) =>
  joined.crew.dispatch({ type: 'clerk', instruction: 'Write it', backend: 'main', workspace: folder, ...more });
const write = async (path: string, text: string) => (await crew.model.next()).call('write_file', { path, text });
const asked = async (id: string, not = '') =>
  (await statusWhere(joined.crew, id, ({ question }) => question !== null && question.id !== not)).question!;
const answer = (id: string, question: string, text: string) =>
  joined.crew.steer(id, { type: 'answer', question, text } satisfies SteeringInput);

test('the operator sees what a call would change, and the result lists what it changed and what was read', async () => {
  const id = await dispatch();
  (await crew.model.next()).call('look', { path: 'notes.txt' });
  await write('a.txt', 'hello');
  const question = await asked(id);
  expect(question.text).toBe('May it run write_file on a.txt?\nnew: hello');
  await answer(id, question.id, 'yes');
  (await crew.model.next()).reply('I have written a.txt and b.txt.');
  const { effects, sources } = await joined.crew.result(id, never);
  expect(effects).toEqual([
    { call: 's2-0', tool: 'write_file', target: 'a.txt', step: 2, outcome: 'done', kind: 'created', added: 1, removed: 0 },
  ]);
  expect(sources).toEqual(['notes.txt']);
  expect((await joined.crew.status(id))?.effects).toEqual(effects);
});

test('a model that only claims to have written has changed nothing, and a denied call is listed as denied', async () => {
  const claims = await dispatch();
  (await crew.model.next()).reply('I wrote a.txt.');
  expect((await joined.crew.result(claims, never)).effects).toEqual([]);
  const denied = await dispatch();
  await write('a.txt', 'x');
  await answer(denied, (await asked(denied)).id, 'no, not there');
  (await crew.model.next()).reply('Written.');
  expect((await joined.crew.result(denied, never)).effects).toMatchObject([{ target: 'a.txt', outcome: 'denied' }]);
});

test('a call that would be refused anyway is refused before anyone is asked', async () => {
  const id = await dispatch();
  await write('../a.txt', 'x');
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['../a.txt is outside']);
  next.reply('It cannot be.');
  const { effects } = await joined.crew.result(id, never);
  expect(effects).toMatchObject([{ target: '../a.txt', outcome: 'failed' }]);
});

test('a file that has changed since the operator saw it is asked about again, and is not overwritten meanwhile', async () => {
  const id = await dispatch();
  await write('a.txt', 'mine');
  const first = await asked(id);
  await writeFile(join(folder, 'a.txt'), 'theirs');
  await answer(id, first.id, 'approve');
  const second = await asked(id, first.id);
  expect(second.text).toContain('replaces theirs: mine');
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('theirs');
  await answer(id, second.id, 'approve');
  (await crew.model.next()).reply('done');
  await joined.crew.result(id, never);
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('mine');
});

test('a tool that is allowed for a task answers the open question and is not asked about again', async () => {
  const id = await dispatch();
  await write('a.txt', '1');
  await asked(id);
  const sent = await joined.crew.steer(id, { type: 'allow', tool: 'write_file' });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied' });
  await write('b.txt', '2');
  (await crew.model.next()).reply('both');
  const { effects } = await joined.crew.result(id, never);
  expect(effects?.map(({ target, outcome }) => [target, outcome])).toEqual([
    ['a.txt', 'done'],
    ['b.txt', 'done'],
  ]);
});

test('a tool that is allowed for a goal is allowed for its running sub-tasks and for those that start later', async () => {
  const task = (key: string, ...after: string[]) => ({ key, type: 'clerk', instruction: `do ${key}`, after });
  const plan = { tasks: [task('a'), task('b', 'a')], reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'both', workspace: folder, plan });
  await write('a.txt', '1');
  await asked(`${id.split('.')[0]}.1`);
  const sent = await joined.crew.steer(id, { type: 'allow', tool: 'write_file' });
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied', reached: [`${id.split('.')[0]}.1`] });
  (await crew.model.next()).reply('a is there');
  await write('b.txt', '2');
  (await crew.model.next()).reply('b is there');
  const { output, effects } = await joined.crew.result(id, never);
  expect(effects?.map(({ task: by, target }) => [by, target])).toEqual([
    [`${id.split('.')[0]}.1`, 'a.txt'],
    [`${id.split('.')[0]}.2`, 'b.txt'],
  ]);
  expect(output).toContain('Done: created a.txt (+1), created b.txt (+1)');
});

test('the reducer `effects` says what was done and read, whatever the models say', async () => {
  const task = (key: string) => ({ key, type: 'clerk', instruction: `do ${key}` });
  const plan = { tasks: [task('a'), task('b')], reduce: { by: 'effects' as const } };
  const spec = { type: 'supervisor', instruction: 'both', workspace: folder, plan, allowed: ['write_file'] };
  const result = async (work: (call: ModelCall) => void) => {
    crew.model.answer((call) => (call.texts('tool').length > 0 ? call.reply('I have written everything.') : work(call)));
    return (await joined.crew.result(await joined.crew.dispatch(spec), never)).output;
  };
  expect(await result((call) => call.call('look', { path: 'notes.txt' }))).toMatch(
    /^changed nothing\n\nSources: notes\.txt \([^)]+\)/,
  );
  const writes = (call: ModelCall) => call.call('write_file', { path: `${call.texts('user')[0]!.at(-1)}.txt`, text: '1' });
  expect(await result(writes)).toBe('created a.txt (+1), created b.txt (+1)');
});

test('sub-tasks that wait for their operator leave their places to others: more than `concurrency` of them ask at once', async () => {
  const tasks = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, type: 'clerk', instruction: `do ${i}` }));
  const plan = { tasks, reduce: { by: 'concat' as const } };
  crew.model.answer((call) => call.call('ask_operator', { question: 'which?' }));
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'all', workspace: folder, plan });
  const all = Array.from({ length: 20 }, (_, i) => `${id.split('.')[0]}.${i + 1}`);
  for (const task of all) expect((await asked(task)).text).toBe('which?');
});

test('a task that must write a file is told once that it is missing, and then writes it', async () => {
  const id = await dispatch({ produces: [{ file: 'sum.txt' }], allowed: ['write_file'] });
  (await crew.model.next()).reply('I wrote sum.txt.');
  const told = await crew.model.next();
  expect(told.texts('user').at(-1)).toMatch(/not done.*sum\.txt is not there.*write_file/);
  told.call('write_file', { path: 'sum.txt', text: 'all' });
  (await crew.model.next()).reply('Now it is there.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'Now it is there.' });
});

test('a task that does not write its file fails, also if the file was there before', async () => {
  await writeFile(join(folder, 'sum.txt'), 'old');
  const id = await dispatch({ produces: [{ file: 'sum.txt' }], allowed: ['write_file'] });
  (await crew.model.next()).reply('Done.');
  (await crew.model.next()).reply('It is done, as I said.');
  const { outcome, failure } = await joined.crew.result(id, never);
  expect([outcome, failure?.code]).toEqual(['failed', 'not-produced']);
  expect(failure?.message).toMatch(/sum\.txt is there, but this task has not written it/);
});

test('a file that was written and removed again is missing', async () => {
  const id = await dispatch({ produces: [{ file: 'sum.txt' }], allowed: ['write_file'] });
  await write('sum.txt', 'all');
  const last = await crew.model.next();
  await rm(join(folder, 'sum.txt'));
  last.reply('Done.');
  (await crew.model.next()).reply('Done.');
  expect((await joined.crew.result(id, never)).failure?.code).toBe('not-produced');
});

test('an answer that must be JSON of a schema is checked', async () => {
  const json = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  const id = await dispatch({ produces: [{ json }] });
  (await crew.model.next()).reply('n is 4');
  const told = await crew.model.next();
  expect(told.texts('user').at(-1)).toContain('must be JSON');
  told.reply('{"n":4}');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: '{"n":4}' });
});

test('another backend judges an answer, and the agent is told once what it says', async () => {
  const id = await dispatch({ expect: { that: 'It is a number.', backend: 'other' } });
  const of = (name: string) => crew.model.next((call) => call.body.model === name);
  (await of('scripted')).reply('four');
  const judge = await of('other');
  expect(judge.texts('user').join()).toMatch(/It is a number\.[\s\S]*The answer:\nfour/);
  judge.reply(JSON.stringify({ fulfilled: false, reason: 'It is a word.' }));
  const again = await of('scripted');
  expect(again.texts('user').at(-1)).toMatch(/not done.*It is a number.*other says: It is a word/);
  again.reply('4');
  (await of('other')).reply(JSON.stringify({ fulfilled: true, reason: 'It is one.' }));
  const { outcome, output, usageByBackend } = await joined.crew.result(id, never);
  expect([outcome, output, Object.keys(usageByBackend).sort()]).toEqual(['completed', '4', ['main', 'other']]);
});

test('an answer that is not as expected a second time fails the task', async () => {
  const id = await dispatch({ expect: { that: 'It is a number.', backend: 'other' } });
  const of = (name: string) => crew.model.next((call) => call.body.model === name);
  for (const answer of ['four', 'vier']) {
    (await of('scripted')).reply(answer);
    (await of('other')).reply(JSON.stringify({ fulfilled: false, reason: 'It is a word.' }));
  }
  const { outcome, failure, salvage } = await joined.crew.result(id, never);
  expect([outcome, failure?.code]).toEqual(['failed', 'not-as-expected']);
  expect(salvage.findings).toContain('vier');
});

test('code of a kind checks each last answer', async () => {
  const id = await joined.crew.dispatch({ type: 'counter', instruction: 'Count', backend: 'main' });
  (await crew.model.next()).reply('many');
  const told = await crew.model.next();
  expect(told.texts('user').at(-1)).toContain('only digits');
  told.reply('7');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: '7' });
});

test('a new instruction says what is to be made, in place of the plan', async () => {
  const id = await dispatch({ produces: [{ file: 'sum.txt' }] });
  await crew.model.next();
  await joined.crew.steer(id, { type: 'redirect', text: 'Only tell me' });
  (await crew.model.next()).reply('It is four.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', effects: [] });
});

test('every call with effects needs approval where the task says so', async () => {
  const id = await dispatch({ approval: 'every-effect' });
  await write('a.txt', '1');
  expect((await asked(id)).kind).toBe('approval');
  await joined.crew.steer(id, { type: 'cancel' });
  expect((await joined.crew.result(id, never)).effects).toEqual([]);
});

test('a task that lost its worker lists each effect once', async () => {
  const id = await dispatch({ allowed: ['write_file'] });
  await write('a.txt', '1');
  await crew.model.next();
  await node.abandon();
  await crew.node(await crew.join('node-2'), { kinds: [clerk], quietMs: 20, leaseMs: 1_000 });
  (await crew.model.next()).reply('done');
  expect((await joined.crew.result(id, never)).effects).toHaveLength(1);
});
