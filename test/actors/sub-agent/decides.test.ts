/** A tool that decides about each of its calls: it refuses one, has the operator asked about one, and lets one pass. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { Denied, defineTool, Outdated, type ToolContext } from '../../../actors/tools/tool.ts';
import { WebRefused } from '../../../actors/tools/web/web-policy.ts';
import type { SteeringInput, TaskSpec } from '../../../bus/messages.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
/** The places that the tool has gone to, each with the sight that it was held to. */
let went: { to: string; base: ToolContext['base'] }[];
let looks: string[];
/** The way to a place changes as soon as it was looked at. */
let shifting: boolean;

const go = defineTool({
  name: 'go',
  description: 'Goes somewhere.',
  args: z.object({ to: z.string() }),
  effects: 'writes',
  decides: true,
  target: ({ to }) => to,
  preview: async ({ to }) => {
    looks.push(to);
    if (to === 'cliff') throw new Error('nobody may go to the cliff');
    if (to === 'prison') throw new Denied('the rules forbid the prison');
    if (to === 'museum') throw new WebRefused('the museum is closed to agents');
    return { text: `goes to ${to}`, base: `the way to ${to}`, ask: to !== 'home' };
  },
  run: async ({ to }, { base }) => {
    if (shifting) throw new Outdated(`the way to ${to} is another one now`);
    went.push({ to, base });
    return { text: `was at ${to}` };
  },
});

beforeEach(async () => {
  went = [];
  looks = [];
  shifting = false;
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const walker = defineKind({ name: 'walker', prompt: 'You walk.', tools: [go], limits: { steps: 9 } });
const node = async (rosterYaml = '') => crew.node(await crew.join('node-1'), { kinds: [walker], quietMs: 20, rosterYaml });
const dispatch = (more: Partial<TaskSpec> = {}) =>
  joined.crew.dispatch({ type: 'walker', instruction: 'Walk', backend: 'main', ...more });
const calls = async (to: string) => (await crew.model.next()).call('go', { to });
const told = async () => {
  const next = await crew.model.next();
  const texts = next.texts('tool');
  next.reply('done');
  return texts;
};
const asked = async (id: string, not = '') =>
  (await statusWhere(joined.crew, id, ({ question }) => question !== null && question.id !== not)).question!;
const answer = (id: string, question: string, text: string) =>
  joined.crew.steer(id, { type: 'answer', question, text } satisfies SteeringInput);

test('a call passes unasked that its tool lets pass, and runs on the sight of it', async () => {
  await node();
  const id = await dispatch();
  await calls('home');
  expect(await told()).toEqual(['was at home']);
  const { effects } = await joined.crew.result(id, never);
  expect(effects).toMatchObject([{ tool: 'go', target: 'home', outcome: 'done' }]);
  expect(went).toEqual([{ to: 'home', base: 'the way to home' }]);
});

test('a call is refused that its tool refuses, and nobody is asked', async () => {
  await node();
  const id = await dispatch();
  await calls('cliff');
  expect(await told()).toEqual(['nobody may go to the cliff']);
  expect((await joined.crew.result(id, never)).effects).toMatchObject([{ target: 'cliff', outcome: 'failed' }]);
  expect(went).toEqual([]);
});

test('a call that the rules forbid is listed as denied', async () => {
  await node();
  const id = await dispatch();
  await calls('prison');
  expect(await told()).toEqual(['the rules forbid the prison']);
  expect((await joined.crew.result(id, never)).effects).toMatchObject([{ target: 'prison', outcome: 'denied' }]);
});

test('the operator is asked about every other call', async () => {
  await node();
  const id = await dispatch();
  await calls('town');
  const question = await asked(id);
  expect(question).toMatchObject({ kind: 'approval', text: 'May it run go on town?\ngoes to town' });
  await answer(id, question.id, 'yes');
  expect(await told()).toEqual(['was at town']);
  expect(went).toEqual([{ to: 'town', base: 'the way to town' }]);
});

test('a call that passed on a sight which is no longer true fails, and the model is told', async () => {
  await node();
  const id = await dispatch();
  shifting = true;
  await calls('home');
  expect(await told()).toEqual(['the way to home is another one now']);
  await joined.crew.result(id, never);
  expect([looks, went]).toEqual([['home'], []]);
});

test('a call that the operator allowed on a sight which is no longer true is asked about again', async () => {
  await node();
  const id = await dispatch();
  shifting = true;
  await calls('town');
  const first = await asked(id);
  await answer(id, first.id, 'yes');
  const second = await asked(id, first.id);
  expect(went).toEqual([]);
  shifting = false;
  await answer(id, second.id, 'yes');
  expect(await told()).toEqual(['was at town']);
});

test('a tool whose calls the roster has all asked about, or the task, is asked about', async () => {
  await node('tools: { gated: [go] }');
  const id = await dispatch();
  await calls('home');
  expect((await asked(id)).text).toContain('goes to home');
  await joined.crew.steer(id, { type: 'cancel' });
  const strict = await dispatch({ approval: 'every-effect' });
  await calls('home');
  expect((await asked(strict)).text).toContain('goes to home');
  await joined.crew.steer(strict, { type: 'cancel' });
});

test.each([
  ['the task', '', ['go']],
  ['the roster', 'tools: { allowed: [go] }', []],
])(
  'where %s allows all calls of the tool, it is not asked, and what the tool refuses stays refused',
  async (_, roster, allowed) => {
    await node(roster);
    const id = await dispatch({ allowed });
    await calls('town');
    await calls('cliff');
    expect(await told()).toEqual(['was at town', 'nobody may go to the cliff']);
    await joined.crew.result(id, never);
    expect([looks, went.map(({ to }) => to)]).toEqual([['town', 'cliff'], ['town']]);
  },
);

test('a tool that decides and does not look, or decides now and then, is refused', () => {
  const { preview: _, ...blind } = go;
  expect(() => defineTool(blind)).toThrow('needs a function preview');
  expect(() => defineTool({ ...go, decides: 'no' as never })).toThrow('decides of go is not true');
});

test('what only the operator can do something about is noted for them', async () => {
  await node();
  const id = await dispatch();
  await calls('museum');
  const { note } = await statusWhere(joined.crew, id, ({ note }) => note?.startsWith('go: ') === true);
  expect(note).toBe('go: the museum is closed to agents');
  expect(await told()).toEqual(['the museum is closed to agents']);
});
