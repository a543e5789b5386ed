import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import { defineTool } from '../../../actors/tools/tool.ts';
import type { Status } from '../../../bus/messages.ts';
import { messagesAfter } from '../../../bus/state/batch-get.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

const price = defineTool({
  name: 'price',
  description: 'What an article costs.',
  args: z.object({ article: z.string() }),
  effects: 'none',
  run: async ({ article }) => ({ text: `${article}: 7` }),
});

test('a kind that thinks in code calls its tools and ends with its text, without a backend', async () => {
  const quote = defineKind({
    name: 'quote',
    tools: [price],
    think: ({ messages, instruction }) => {
      const found = messages.find(({ role }) => role === 'tool');
      return found ? `quoted ${found.text}` : { text: '', calls: [{ tool: 'price', args: { article: instruction } }] };
    },
  });
  const joined = await crew.join();
  await crew.node(joined, { kinds: [quote] });
  const id = await joined.crew.dispatch({ type: 'quote', instruction: 'lamp' });
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'completed', output: 'quoted lamp: 7', salvage: { steps: 2 } });
  expect(result.usageByBackend).toEqual({ code: { inputTokens: 0, outputTokens: 0, costUsd: 0 } });
});

test('a goal dispatches a given plan in its first commit, and code joins the results in the last one', async () => {
  const echo = defineKind({ name: 'echo', think: ({ instruction }) => instruction });
  const joined = await crew.join();
  await crew.node(joined, { kinds: [echo] });
  const tasks = ['a', 'b', 'c'].map((key) => ({ key, type: 'echo', instruction: `say ${key}` }));
  const plan = { tasks, reduce: { by: 'vote' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'Say', plan });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
  const { subjects } = joined.bus;
  const told = await Array.fromAsync(messagesAfter(joined.bus, subjects.logStream, subjects.of(id, 'status'), 0));
  const statuses = told.map((message) => message.json<Status>());
  expect(statuses[0]).toMatchObject({ commit: 1, state: 'gathering', subTasks: { running: 3 } });
  expect([...new Set(statuses.map(({ state }) => state))]).toEqual(['gathering', 'done']);
});

test('a task that becomes too long to be stored fails with the reason and does not count as poison', async () => {
  const { randomBytes } = await import('node:crypto');
  const long = defineTool({
    name: 'long',
    description: 'says much',
    args: z.object({}),
    effects: 'none',
    run: async () => ({ text: randomBytes(12 * 2 ** 20).toString('base64') }),
  });
  const wordy = defineKind({ name: 'wordy', tools: [long], think: () => ({ text: '', calls: [{ tool: 'long', args: {} }] }) });
  const joined = await crew.join();
  await crew.node(joined, { kinds: [wordy] });
  const id = await joined.crew.dispatch({ type: 'wordy', instruction: 'talk' });
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'failed', failure: { code: 'too-big' }, salvage: { remaining: 'talk' } });
});

test('an error thrown by a kind’s code makes the task ask for help, and a correction reaches the next step', async () => {
  const picky = defineKind({
    name: 'picky',
    think: ({ messages }) => {
      const last = messages.at(-1)!.text;
      if (last !== 'be kind') throw new Error('not like this');
      return 'gladly';
    },
  });
  const joined = await crew.join();
  await crew.node(joined, { kinds: [picky] });
  const id = await joined.crew.dispatch({ type: 'picky', instruction: 'help' });
  const { question } = await statusWhere(joined.crew, id, ({ state }) => state === 'awaiting-steer');
  expect(question?.text).toContain('not like this');
  await joined.crew.steer(id, { type: 'steer', text: 'be kind' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'gladly' });
});
