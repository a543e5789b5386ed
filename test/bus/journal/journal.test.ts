/** A task's steps are read from what its commits wrote: why each was made, what was sent, and what came back. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { askNode } from '../../../bus/ask-node.ts';
import type { JournalReply, JournalStep } from '../../../bus/journal/journal-messages.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { never, tokenOf } from '../../support/watching.ts';

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

const journal = (task: string, more: object = {}) => askNode<JournalReply>(joined.bus, 'journal', { task, ...more });
const whyOf = ({ why }: JournalStep) => why.map(({ kind, text }) => `${kind}: ${text}`);
/** The messages of a call in the form of the journal. */
const sentIn = (call: ModelCall) => call.messages.map(({ role, content }) => ({ role, text: content ?? '' }));
const toldIn = ({ prompt }: JournalStep) => prompt!.messages.map(({ role, text }) => ({ role, text }));

test('each step has why it was made and the prompt as it was sent', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Read a.txt', backend: 'main' });
  const first = await crew.model.next();
  first.call('read_file', { path: 'a.txt' });
  const second = await crew.model.next();
  second.say('It says on');
  await tokenOf(joined.crew, id);
  await joined.crew.steer(id, { type: 'steer', id: 'short', text: 'in one word' });
  const third = await crew.model.next();
  third.reply('one');
  await joined.crew.result(id, never);

  const { steps, next, outcome } = await journal(id, { prompts: 'whole' });
  expect([outcome, next]).toEqual(['completed', null]);
  expect(steps.map(({ step, outcome, prompt }) => [step, outcome, prompt?.is])).toEqual([
    [1, 'replied', 'as-sent'],
    [2, 'interrupted', 'as-sent'],
    [3, 'replied', 'as-sent'],
  ]);
  expect(whyOf(steps[0]!)).toEqual(['start: Read a.txt']);
  expect(whyOf(steps[1]!)[0]).toMatch(/^tool: read_file: .*one/s);
  expect(whyOf(steps[2]!)).toEqual(['reply: the reply before was cut off', 'steer: in one word']);
  expect(steps[2]!.why[1]).toMatchObject({ steer: 'short' });
  expect(toldIn(steps[0]!)).toEqual(sentIn(first));
  expect(toldIn(steps[1]!)).toEqual(sentIn(second));
  expect(toldIn(steps[2]!).at(-1)).toEqual(sentIn(third).at(-1));
  expect(steps.map(({ reply }) => reply?.text)).toEqual(['', 'It says on', 'one']);
  expect(steps.map(({ usage }) => usage.inputTokens)).toEqual([10, 0, 10]);
});

test('of a prompt only what the step before did not have is shown, unless the whole is asked for', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Read a.txt', backend: 'main' });
  (await crew.model.next()).call('read_file', { path: 'a.txt' });
  (await crew.model.next()).reply('one');
  await joined.crew.result(id, never);
  const { steps } = await journal(id);
  expect(steps[0]!.prompt).toMatchObject({ count: 2, same: 0, tools: expect.arrayContaining(['read_file']) });
  expect(steps[1]!.prompt).toMatchObject({ count: 4, same: 2 });
  expect(steps[1]!.prompt!.tools).toBeUndefined();
  expect(steps[1]!.prompt!.messages.map(({ role }) => role)).toEqual(['assistant', 'tool']);
  expect((await journal(id, { from: 2, limit: 1 })).steps).toEqual([steps[1]]);
  const none = await journal(id, { prompts: 'none', limit: 1 });
  expect([none.next, none.steps[0]!.prompt]).toEqual([2, undefined]);
});

test('a prompt that cannot be built as it was sent names the part that has changed since', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Read a.txt', backend: 'main' });
  (await crew.model.next()).reply('one');
  await joined.crew.result(id, never);
  await writeFile(join(workspace, 'AGENTS.md'), 'Be brief.\n');
  const { steps } = await journal(id);
  expect(steps[0]!.prompt).toMatchObject({ is: 'rebuilt', changed: ['notes'] });
});

test('a failed call and a swap are told as the reasons of the next step', async () => {
  await crew.node(joined, { workspace });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think', backend: 'main' });
  (await crew.model.next()).fail(500);
  const second = await crew.model.next();
  await joined.crew.steer(id, { type: 'swap', backend: 'other', urgency: 'now' });
  (await crew.model.next()).reply('done');
  await second.closed;
  await joined.crew.result(id, never);
  const { steps } = await journal(id);
  expect(steps.map(({ step, backend, outcome }) => [step, backend, outcome])).toEqual([
    [1, 'main', 'failed'],
    [2, 'main', 'interrupted'],
    [3, 'other', 'replied'],
  ]);
  expect(whyOf(steps[1]!)).toEqual(['reply: the call before got no reply']);
  expect(whyOf(steps[2]!)).toEqual(['swap: other']);
});

test('a task that is not there is an error that says so', async () => {
  await crew.node(joined, { workspace });
  await expect(journal('none22.0')).rejects.toMatchObject({ code: 'unknown-task' });
  await expect(journal('none22.0', { limit: 101 })).rejects.toMatchObject({ code: 'bad-request' });
});

test('a goal has its requests for a plan and for the answer, and why the second was made', async () => {
  await crew.node(joined, { workspace, quietMs: 20 });
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'Two things' });
  const planning = await crew.model.next();
  const plan = {
    tasks: [{ key: 'a', type: 'reasoning', instruction: 'Do a', needs: [], after: [], writes: [] }],
    final: 'Put it together',
  };
  planning.reply(JSON.stringify(plan));
  (await crew.model.next()).reply('a is done');
  const reducing = await crew.model.next();
  reducing.reply('all done');
  await joined.crew.result(id, never);
  const { steps } = await journal(id, { prompts: 'whole' });
  expect(steps.map(({ step, state, outcome, prompt }) => [step, state, outcome, prompt?.is])).toEqual([
    [1, 'decomposing', 'replied', 'as-sent'],
    [2, 'reducing', 'replied', 'as-sent'],
  ]);
  expect(toldIn(steps[0]!).at(-1)).toEqual({ role: 'user', text: 'Goal: Two things' });
  expect(toldIn(steps[1]!)).toEqual(sentIn(reducing));
  expect(whyOf(steps[1]!)).toEqual(['result: a: returned']);
});
