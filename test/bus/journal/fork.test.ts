/** A fork goes on from a step of another task, which it does not change. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let workspace: string;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  workspace = join(crew.folder, 'files');
  await mkdir(workspace);
  await writeFile(join(workspace, 'a.txt'), 'one\n');
});
afterEach(() => crew.stop());

/** A task that has read a file in its first step and answered in its second. */
async function source(): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Read a.txt', backend: 'main' });
  (await crew.model.next()).call('read_file', { path: 'a.txt' });
  (await crew.model.next()).reply('one');
  await joined.crew.result(id, never);
  return id;
}

test('a fork is told what the step was told and the new correction, on another backend; its source stays as it was', async () => {
  await crew.node(joined, { workspace });
  const id = await source();
  const before = await readState(joined.bus, id);
  const fork = await joined.crew.fork(id, { step: 2, backend: 'other', with: 'Say it in German' });
  const call = await crew.model.next();
  expect(call.body.model).toBe('other');
  expect(call.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
  expect(call.texts('user')).toEqual(['Read a.txt', 'Say it in German']);
  call.call('read_file', { path: 'a.txt' });
  const next = await crew.model.next();
  expect(next.messages.filter(({ role }) => role === 'tool')).toHaveLength(2);
  next.reply('eins');
  expect(await joined.crew.result(fork, never)).toMatchObject({
    outcome: 'completed',
    output: 'eins',
    usage: { inputTokens: 20 },
  });
  expect(await readState(joined.bus, id)).toEqual(before);

  const journal = await joined.crew.journal({ task: fork });
  expect(journal.forkOf).toEqual({ id, step: 2 });
  expect(journal.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
    [2, 'replied'],
    [3, 'replied'],
  ]);
  expect(journal.steps[0]!.why).toMatchObject([{ kind: 'start', task: id }]);
  expect((await joined.crew.journal({ task: id })).forks).toEqual([{ id: fork, step: 2 }]);
});

test('a fork of a task that is at work goes on beside it, and has as many steps of its own', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Read a.txt', backend: 'main', limits: { steps: 2 } });
  (await crew.model.next()).call('read_file', { path: 'a.txt' });
  const open = await crew.model.next();
  const fork = await joined.crew.fork(id, { step: 2 });
  (await crew.model.next()).call('read_file', { path: 'a.txt' });
  (await crew.model.next()).reply('one');
  expect((await joined.crew.result(fork, never)).salvage.steps).toBe(3);
  open.reply('one');
  expect((await joined.crew.result(id, never)).output).toBe('one');
});

test('a fork of a step before a redirect has the old instruction, and after it the new one', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({
    type: 'reasoning',
    instruction: 'Count to ten',
    backend: 'main',
    produces: [{ json: {} }],
  });
  const first = await crew.model.next();
  await joined.crew.steer(id, { type: 'redirect', text: 'Count to five' });
  (await crew.model.next()).reply('5');
  await first.closed;
  await joined.crew.result(id, never);
  const [early, late] = [await joined.crew.fork(id, { step: 1 }), await joined.crew.fork(id, { step: 2 })];
  const specOf = async (task: string) => (await readState(joined.bus, task))!.record.spec;
  expect(await specOf(early)).toMatchObject({ instruction: 'Count to ten', produces: [{ json: {} }] });
  expect(await specOf(late)).toMatchObject({ instruction: 'Count to five' });
  expect((await specOf(late)).produces).toBeUndefined();
});

test('no fork is made of a goal, of a step that is not there, or of what is gone', async () => {
  await crew.node(joined, { workspace });
  const id = await source();
  await expect(joined.crew.fork(id, { step: 3 })).rejects.toMatchObject({ code: 'unknown-step' });
  await expect(joined.crew.fork('none22.0', { step: 1 })).rejects.toMatchObject({ code: 'unknown-task' });
  const plan = { tasks: [], reduce: { by: 'concat' as const } };
  const goal = await joined.crew.dispatch({ type: 'supervisor', instruction: 'nothing', plan });
  await joined.crew.result(goal, never);
  await expect(joined.crew.fork(goal, { step: 1 })).rejects.toMatchObject({ code: 'bad-fork' });
  const tasks = await joined.crew.tasks();
  expect(tasks.map(({ id: task }) => task).toSorted()).toEqual([id, goal].toSorted());
});

test('in a crew with roles an operator forks a task by a sealed order', async () => {
  const team = await TeamCrew.start({ boss: ['supervisor', 'worker'], ann: ['operator'], eve: ['observer'] });
  try {
    const boss = await team.join('boss');
    await team.node(boss, {});
    team.model.answer((call) => call.reply('done'));
    const ann = await team.join('ann');
    const id = await ann.crew.dispatch({ type: 'reasoning', instruction: 'Think', backend: 'main' });
    await ann.crew.result(id, never);
    const fork = await ann.crew.fork(id, { step: 1, with: 'Think again' });
    expect((await ann.crew.result(fork, never)).output).toBe('done');
    const { steps, forkOf } = await ann.crew.journal({ task: fork });
    expect(forkOf).toEqual({ id, step: 1 });
    expect(steps[0]!.prompt!.messages.map(({ text }) => text)).toEqual(['You think.', 'Think', 'Think again']);
    const eve = await team.join('eve');
    expect((await eve.crew.journal({ task: id })).steps).toHaveLength(1);
    await expect(eve.crew.fork(id, { step: 1 })).rejects.toMatchObject({ code: 'role-denied' });
  } finally {
    await team.stop();
  }
});
