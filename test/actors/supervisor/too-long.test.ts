/** Results, corrections and orders that are too long for what they are put into (rule `fits`). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { maxInstructionChars, maxSteerChars } from '../../../bus/messages.ts';
import type { Roster } from '../../../roster/schema.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { testRoster } from '../../support/roster.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

/** Both backends have the context of a small model. */
const small = (roster: Roster): Roster => ({
  ...roster,
  backends: Object.fromEntries(Object.entries(roster.backends).map(([name, backend]) => [name, { ...backend, context: 8192 }])),
});

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const task = (key: string, after: string[] = [], more: object = {}) => ({
  key,
  type: 'reasoning',
  instruction: `Work on ${key}`,
  after,
  ...more,
});
const goal = (tasks: ReturnType<typeof task>[], reduce: object = { by: 'concat' }) =>
  joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan: { tasks, reduce: reduce as { by: 'concat' } } });
const words = (call: ModelCall) => call.texts('user').join('\n');
const callFor = (key: string) => crew.model.next((call) => words(call).includes(`Work on ${key}`));
const child = (id: string, n: number) => id.replace(/0$/, String(n));

test('a result that is longer than an order may carry is clipped for the sub-task after it, and the goal says so', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'])]);
  (await callFor('a')).reply('x'.repeat(300_000));
  const b = await callFor('b');
  expect(words(b)).toMatch(/x\s+\[… [\d,]+ more characters: the whole is /);
  b.reply('compared');
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'completed', output: expect.stringContaining('compared') });
  // The goal has the whole result all the same, and the library reads all of it.
  expect(result.output!.length).toBeGreaterThan(300_000);
});

test.each([
  ['English', 'word '],
  ['Chinese', '漢字'],
  ['emoji', '🧭🪢'],
])('results of earlier sub-tasks leave room in the context of the next one, in %s', async (_, text) => {
  const roster = small(testRoster(crew.model.url));
  await crew.node(joined, { quietMs: 20, roster: { current: () => roster } });
  await goal([task('a'), task('b'), task('c', ['a', 'b'])]);
  for (const key of ['a', 'b']) (await callFor(key)).reply(text.repeat(24_000 / text.length));
  const c = await callFor('c');
  expect(tokens(words(c))).toBeLessThan(8192);
  // Both are there, each with its share.
  expect(words(c).match(/more characters\]/g)).toHaveLength(2);
});

test.each([
  ['English', 'word '],
  ['Chinese', '漢字'],
  ['emoji', '🧭🪢'],
])('a reduction gets of each long result what fits, in %s, and of a short one all', async (_, text) => {
  const roster = small(testRoster(crew.model.url));
  await crew.node(joined, { quietMs: 20, roster: { current: () => roster } });
  await goal([task('a'), task('b'), task('c')], { by: 'orchestrator', instruction: 'Join' });
  for (const key of ['a', 'b']) (await callFor(key)).reply(text.repeat(24_000 / text.length));
  (await callFor('c')).reply('short and whole');
  const reduction = await crew.model.next((call) => words(call).includes('Results:'));
  expect(tokens(words(reduction))).toBeLessThan(8192);
  expect(words(reduction)).toContain('short and whole');
  expect(words(reduction).match(/more characters\]/g)).toHaveLength(2);
});

test('an order that no worker would take fails its sub-task with the reason, and the operator is asked', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'], { instruction: `Work on b${'!'.repeat(maxInstructionChars - 10)}` })]);
  const a = await callFor('a');
  const long = { type: 'steer' as const, text: 'y'.repeat(maxSteerChars), urgency: 'next-step' as const };
  await finalReceipt(joined.crew, id, await joined.crew.steer(id, long));
  crew.model.answer((call) => call.reply('done'));
  a.reply('done');
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question?.text).toMatch(/Sub-task b .*65536 characters/);
  expect(await joined.crew.peekResult(child(id, 2))).toMatchObject({ outcome: 'failed', failure: { code: 'too-big' } });
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'skip' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
});

test('a cancel ends a goal at once whose sub-task waits for a worker that never comes', async () => {
  await crew.node(joined, { types: ['supervisor'], quietMs: 20, drainMs: 2 ** 31 - 1 });
  const id = await goal([task('a')]);
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.running === 1);
  await joined.crew.steer(id, { type: 'cancel' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'cancelled' });
  expect(await joined.crew.peekResult(child(id, 1))).toMatchObject({ outcome: 'cancelled' });
});

/** What a server would count: a letter of Chinese is about one token, an emoji two or three. */
const tokens = (text: string): number =>
  [...text].reduce((sum, sign) => sum + (sign < '\u0080' ? 0.25 : sign < '\u{10000}' ? 1 : 2), 0);
