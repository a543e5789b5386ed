import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { SteeringInput } from '../../../bus/messages.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { finalReceipt, never, statusWhere, tokenOf } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const task = (key: string, after: string[] = []) => ({ key, type: 'reasoning', instruction: `Work on ${key}`, after });
const goal = (tasks: ReturnType<typeof task>[], by: 'orchestrator' | 'concat' = 'orchestrator') =>
  joined.crew.dispatch({
    type: 'supervisor',
    instruction: 'The goal',
    plan: { tasks, reduce: by === 'concat' ? { by } : { by, instruction: 'Join' } },
  });
const final = async (id: string, message: SteeringInput) => finalReceipt(joined.crew, id, await joined.crew.steer(id, message));
const words = (call: ModelCall) => call.texts('user').join('\n');
const callFor = (key: string) => crew.model.next((call) => words(call).includes(`Work on ${key}`));
const child = (id: string, n: number) => id.replace(/0$/, String(n));

test('a correction of the goal reaches running sub-tasks, waiting ones and the reduction', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'])]);
  const before = await callFor('a');
  await statusWhere(joined.crew, id, ({ state }) => state === 'gathering');
  const receipt = await final(id, { type: 'steer', text: 'in French' });
  expect(receipt).toMatchObject({ fate: 'applied', reached: [child(id, 1)] });
  expect(await before.closed).toBe(true);
  const again = await callFor('a');
  expect(words(again)).toContain('in French');
  again.reply('un');
  const second = await callFor('b');
  expect(words(second)).toContain('in French');
  second.reply('deux');
  const reduction = await crew.model.next();
  expect(words(reduction)).toContain('in French');
  reduction.reply('un, deux');
  expect((await joined.crew.result(id, never)).output).toContain('un, deux');
});

test('a pause of the goal pauses its running sub-tasks, and a resume lets them go on', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b'), task('c', ['a'])], 'concat');
  const both = await Promise.all([callFor('a'), callFor('b')]);
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.running === 2);
  const paused = await final(id, { type: 'pause' });
  expect(paused).toMatchObject({ fate: 'applied', reached: [child(id, 1), child(id, 2)] });
  expect(await Promise.all(both.map((call) => call.closed))).toEqual([true, true]);
  for (const n of [1, 2]) await statusWhere(joined.crew, child(id, n), (status) => status.paused);
  crew.model.answer((call) => call.reply('done'));
  expect(await final(id, { type: 'resume' })).toMatchObject({ fate: 'applied', reached: [child(id, 1), child(id, 2)] });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
});

test('a cancelled goal cancels its sub-tasks first and keeps their findings', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b'), task('c', ['a'])]);
  (await callFor('a')).reply('found a');
  const b = await callFor('b');
  await callFor('c');
  const heard = tokenOf(joined.crew, child(id, 2));
  b.say('b begins with');
  await heard;
  expect(await final(id, { type: 'cancel' })).toMatchObject({ fate: 'applied' });
  expect(await b.closed).toBe(true);
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'cancelled' });
  expect(result.salvage.findings).toEqual(['a: found a', 'b: b begins with [unfinished]']);
  const tree = await joined.crew.tree(id);
  expect(tree.map(({ key, outcome }) => [key, outcome])).toEqual([
    [null, 'cancelled'],
    ['a', 'completed'],
    ['b', 'cancelled'],
    ['c', 'cancelled'],
  ]);
});

test('a cancelled goal says what is left in the words of the last redirect, and takes a call that did not run for no finding', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([{ ...task('a'), type: 'files' }, task('b'), task('c', ['a'])]);
  (await callFor('a')).call('write_file', { path: 'x.txt', text: 'x' });
  await statusWhere(joined.crew, child(id, 1), ({ question }) => question !== null);
  const b = await callFor('b');
  const { steer } = await joined.crew.steer(child(id, 2), { type: 'redirect', text: 'Only the\nsecond half' });
  expect(await b.closed).toBe(true);
  await statusWhere(joined.crew, child(id, 2), ({ receipts }) =>
    receipts.some((it) => it.steer === steer && it.fate === 'applied'),
  );
  await final(id, { type: 'cancel' });
  const { salvage } = await joined.crew.result(id, never);
  expect(salvage.findings).toEqual([]);
  const [a, second, c] = salvage.remaining!.split('\n');
  expect(a).toMatch(/^a: Work on a \(it was about to run write_file\)/);
  expect([second, c]).toEqual(['b: Only the second half', 'c: Work on c']);
});

test('the receipt of a redirect of a goal names the sub-tasks whose results are kept', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b')]);
  (await callFor('a')).reply('found a');
  await callFor('b');
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.returned === 1);
  expect(await final(id, { type: 'redirect', text: 'Another goal' })).toMatchObject({
    fate: 'applied',
    reason: 'the results of a are kept, and the rest is planned anew',
  });
  await final(id, { type: 'cancel' });
});

test('an operator adds, drops and reruns sub-tasks of a running plan, and sub-tasks that depend on them are redone', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a']), task('x', ['a'])], 'concat');
  const a = await callFor('a');
  expect(await final(id, { type: 'drop', key: 'x' })).toMatchObject({ fate: 'applied', reason: 'x is dropped' });
  const dropped = (await joined.crew.tree(id)).find(({ key }) => key === 'x');
  expect(dropped).toMatchObject({ id: null, state: 'done', outcome: 'cancelled' });
  expect(await final(id, { type: 'drop', key: 'nothing' })).toMatchObject({
    fate: 'returned',
    reason: expect.stringContaining('nothing'),
  });
  const added = await final(id, { type: 'add', task: task('d') });
  const ended = await final(id, { type: 'add', task: task('e', ['b', 'd']) });
  expect([added, ended].map(({ reason }) => reason)).toEqual([`d is ${child(id, 2)}`, 'e is added, and starts after b, d']);
  expect(await final(id, { type: 'drop', key: 'e' })).toMatchObject({ reason: 'e is dropped' });
  const d = await callFor('d');
  a.reply('first a');
  const b = await callFor('b');
  b.reply('b of first a');
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.returned === 2);
  expect(await final(id, { type: 'rerun', key: 'a', instruction: 'Work on a, better' })).toMatchObject({
    fate: 'applied',
    reason: `a runs again as ${child(id, 4)}, then b`,
  });
  (await callFor('a, better')).reply('second a');
  const redone = await callFor('b');
  expect(words(redone)).toContain('second a');
  redone.reply('b of second a');
  d.reply('done d');
  const { output } = await joined.crew.result(id, never);
  expect(output).toContain('b of second a');
  expect(output).toContain('done d');
  expect(output).not.toContain('first a');
});

test('a goal asks about a failed sub-task while others go on, and the answer decides', async () => {
  await crew.node(joined, { quietMs: 20, rosterYaml: 'supervision: { on_failure: ask }' });
  const id = await goal([task('a'), task('b')], 'concat');
  const b = await callFor('b');
  (await callFor('a')).fail(401);
  const stuck = await statusWhere(joined.crew, child(id, 1), (status) => status.question !== null);
  await joined.crew.steer(child(id, 1), { type: 'answer', question: stuck.question!.id, text: 'stop' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question?.choices).toEqual(['retry', 'skip', 'stop']);
  b.reply('b is here');
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.returned === 1);
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'retry' });
  (await callFor('a')).reply('a after all');
  const { output } = await joined.crew.result(id, never);
  expect(output).toContain('a after all');
  expect((await joined.crew.tree(id)).map(({ key, outcome }) => [key, outcome])).toEqual([
    [null, 'completed'],
    [null, 'failed'],
    ['a', 'completed'],
    ['b', 'completed'],
  ]);
});

test('a goal whose sub-task asks stays open, and answering the sub-task finishes the goal', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a')], 'concat');
  (await callFor('a')).call('ask_operator', { question: 'Which?' });
  const { question } = await statusWhere(joined.crew, child(id, 1), (status) => status.question !== null);
  await joined.crew.steer(child(id, 1), { type: 'answer', question: question!.id, text: 'this' });
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['this']);
  next.reply('this one');
  expect((await joined.crew.result(id, never)).output).toContain('this one');
});

test('a goal is not swapped to a backend that cannot orchestrate', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a')], 'concat');
  const a = await callFor('a');
  expect(await final(id, { type: 'swap', backend: 'other' })).toMatchObject({
    fate: 'returned',
    reason: expect.stringContaining('other cannot orchestrate'),
  });
  expect(await final(id, { type: 'swap', backend: 'main' })).toMatchObject({ fate: 'applied' });
  a.reply('done');
  await joined.crew.result(id, never);
});
