import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { beforeDeadline } from '../../support/deadline.ts';
import { finalReceipt, never, receiptsOf, statusWhere, tokenOf } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('a task is claimed, calls its model and ends with one result', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Say hello' });
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['Say hello']);
  call.reply('Hello!');
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'completed', output: 'Hello!', usage: { inputTokens: 10, outputTokens: 5 } });
});

test('a correction aborts the call in flight, keeps the partial reply, and is in the next call', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Fill the form' });
  const first = await crew.model.next();
  first.say('My email is personal@');
  await tokenOf(joined.crew, id);
  const sent = await joined.crew.steer(id, { type: 'steer', text: 'use my work email' });
  expect(await first.closed).toBe(true);
  const second = await crew.model.next();
  expect(second.texts('user')).toEqual(['Fill the form', 'use my work email']);
  expect(second.texts('assistant').join()).toContain('My email is personal@');
  second.reply('done with work@');
  const receipts = await receiptsOf(joined.crew, id, sent);
  expect(receipts.map(({ fate, step }) => [fate, step])).toEqual([
    ['accepted', undefined],
    ['queued', undefined],
    ['applied', 2],
  ]);
  expect((await joined.crew.result(id, never)).output).toBe('done with work@');
});

test('a question parks the task without a worker, and its answer wakes it', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Book a table' });
  (await crew.model.next()).call('ask_operator', { question: 'For how many?' });
  const asked = await statusWhere(joined.crew, id, ({ question }) => question !== null);
  expect(asked).toMatchObject({ state: 'awaiting-steer', question: { kind: 'asked', text: 'For how many?' } });
  const wrong = await joined.crew.steer(id, { type: 'answer', question: 'q9', text: 'four' });
  expect(await finalReceipt(joined.crew, id, wrong)).toMatchObject({
    fate: 'returned',
    reason: 'that question is not open',
  });
  await joined.crew.steer(id, { type: 'answer', question: asked.question!.id, text: 'four' });
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['four']);
  next.reply('Booked for four');
  expect((await joined.crew.result(id, never)).output).toBe('Booked for four');
});

test('a goal is split, runs its sub-tasks in parallel and reduces them to one answer', async () => {
  await crew.node(joined, { quietMs: 20 });
  const plan = {
    tasks: ['a', 'b', 'c'].map((key) => ({ key, type: 'reasoning', instruction: `Think of ${key}` })),
    reduce: { by: 'orchestrator' as const, instruction: 'Join them' },
  };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'The alphabet', plan });
  const calls = [await crew.model.next(), await crew.model.next(), await crew.model.next()];
  expect(calls.map((call) => call.texts('user')[0]).sort()).toEqual(['Think of a', 'Think of b', 'Think of c']);
  await statusWhere(joined.crew, id, ({ state }) => state === 'gathering');
  for (const call of calls) call.reply(`thought: ${call.texts('user')[0]}`);
  const reduction = await crew.model.next();
  expect(reduction.texts('user')[0]).toContain('thought: Think of b');
  reduction.reply('a, b and c');
  const result = await joined.crew.result(id, never);
  // Nothing was read and nothing was done.
  expect(result).toMatchObject({ output: 'a, b and c', effects: [], sources: [] });
  const tree = await joined.crew.tree(id);
  expect(tree.map(({ key, outcome }) => [key, outcome])).toEqual([
    [null, 'completed'],
    ['a', 'completed'],
    ['b', 'completed'],
    ['c', 'completed'],
  ]);
});

test('a deadline ends a task that waits for an answer although no worker holds it', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.call('ask_operator', { question: 'Well?' }));
  const id = await beforeDeadline(joined.bus.now, async (deadlineAt) => {
    const task = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Wait', deadlineAt });
    const { question } = await statusWhere(joined.crew, task, (status) => status.question !== null || status.outcome !== null);
    return question && task;
  });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'deadline' } });
});

test('a steer to an ended or unknown task is returned', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.reply('ok'));
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Quick' });
  await joined.crew.result(id, never);
  const late = await joined.crew.steer(id, { type: 'steer', text: 'too late' });
  expect(await finalReceipt(joined.crew, id, late)).toMatchObject({
    fate: 'returned',
    reason: 'the task has ended: completed',
  });
  const lost = await joined.crew.steer('nobody.0', { type: 'steer', text: 'hello?' });
  expect(await finalReceipt(joined.crew, 'nobody.0', lost)).toMatchObject({
    fate: 'returned',
    reason: 'there is no task nobody.0',
  });
});

test('the status shows that a long model call is alive: its last token is later than its last transition', async () => {
  await crew.node(joined, { leaseMs: 300 });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Write at length' });
  const call = await crew.model.next();
  await statusWhere(joined.crew, id, ({ state }) => state === 'thinking');
  call.say('a word ');
  const told = await statusWhere(joined.crew, id, ({ lastTokenAt }) => lastTokenAt !== undefined);
  expect(told).toMatchObject({ state: 'thinking', step: 1 });
  expect(told.lastTransitionAt! <= told.lastTokenAt!).toBe(true);
  call.reply('and the rest');
  expect((await joined.crew.result(id, never)).output).toBe('a word and the rest');
});

test('a model may offer choices with its question, and malformed choices do not stop the question', async () => {
  await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Paint it' });
  const first = await crew.model.next();
  const choices = { type: 'array', items: { type: 'string' } };
  const parameters = { properties: { choices }, required: ['question'] };
  expect(first.body).toMatchObject({ tools: [{ function: { name: 'ask_operator', parameters } }] });
  first.call('ask_operator', { question: 'Which colour?', choices: ['red', 'blue'] });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question?.id === 'q1');
  expect(question).toEqual({ id: 'q1', kind: 'asked', text: 'Which colour?', choices: ['red', 'blue'] });
  await joined.crew.steer(id, { type: 'answer', question: 'q1', text: 'red' });
  (await crew.model.next()).call('ask_operator', { question: 'Which shade?', choices: 'dark' });
  const again = await statusWhere(joined.crew, id, (status) => status.question?.id === 'q2');
  expect(again.question).toEqual({ id: 'q2', kind: 'asked', text: 'Which shade?' });
});
