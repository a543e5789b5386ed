/**
 * Code of others: whatever the functions of a kind or a tool return or throw, a task says so by a named code or goes on, its
 * messages fit their schemas, its node lives, and a cancel ends it in every state (docs/security.md, "Code of others").
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind, type KindDefinition } from '../../../actors/kinds/define-kind.ts';
import type { ThinkInCode } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { defineTool, Outdated, type Tool } from '../../../actors/tools/tool.ts';
import { Result, Status } from '../../../bus/messages.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { CoxError, ModelError } from '../../../index.ts';
import type { Effects } from '../../../machines/conversation.ts';
import type { SubAgentContext } from '../../../machines/sub-agent.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

const circular: Record<string, unknown> = { text: 'x' };
circular.args = circular;
const explode = (): never => {
  throw new Error('from within');
};
const trap = () => new Proxy({}, { get: explode, has: explode, getPrototypeOf: explode, ownKeys: explode });
const changing = () => {
  let n = 0;
  return Object.defineProperty({}, 'text', { enumerable: true, get: () => (n++ % 2 ? {} : 'x') });
};
const pending = new Promise<never>(() => {});

/** Values that a function of somebody else may return. */
const returns: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a number': () => 5,
  'an empty text': () => '',
  'a symbol': () => Symbol('x'),
  'a function': () => explode,
  'an object without a text': () => ({ foo: 1 }),
  'a number for a text': () => ({ text: 5 }),
  'calls that are none': () => ({ text: '', calls: 5 }),
  'a call without a tool': () => ({ text: '', calls: [{}] }),
  'a call of a tool that is not there': () => ({ text: '', calls: [{ tool: 'constructor', args: {} }] }),
  'a circle': () => circular,
  'a circle in the arguments': () => ({ text: '', calls: [{ tool: 'tool', args: circular }] }),
  'a bigint in the arguments': () => ({ text: '', calls: [{ tool: 'tool', args: { n: 1n } }] }),
  'changes that are none': () => ({ text: 'x', changes: [null], artifacts: 5, sources: {} }),
  'NaN for a number of lines': () => ({ text: 'x', changes: [{ target: 't', kind: 'changed', added: Number.NaN }] }),
  'a text that is too long for the bus': () => ({ text: 'x'.repeat(9_000_000), base: '' }),
  'a getter that throws': () => ({
    get text() {
      return explode();
    },
  }),
  'a getter that changes': () => changing(),
  'toJSON that throws': () => ({ text: 'x', toJSON: explode }),
  'a proxy': trap,
  'a thenable that throws': () => Object.defineProperty({}, 'then', { get: explode }),
  'a promise that never settles': () => pending,
};
/** Values that it may throw. */
const throws: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('x'),
  'a proxy': trap,
  'an object without a prototype': () => Object.create(null),
  'an object whose toString throws': () => ({ toString: explode }),
  'an error whose message throws': () => Object.defineProperty(new Error('x'), 'message', { get: explode }),
  'an error whose message is no text': () => Object.assign(new Error('x'), { message: { a: 1 } }),
  'an error without words': () => new Error(' '),
  'an error with ten million characters': () => new Error('x'.repeat(10_000_000)),
  'an error of ours': () => new CoxError('mine', 'x', { hint: 'y' }),
  'an error of ours that lies': () => Object.assign(new CoxError('mine', 'x', { hint: 'y' }), { code: 5, hint: Symbol('h') }),
  'an error of a model': () => new ModelError('overloaded', 'mine', 'x'),
  'an outdated target': () => new Outdated('x'),
  'a rejection that is nothing': () => Promise.reject(undefined),
};

const hostile: Readonly<Record<string, () => unknown>> = Object.fromEntries([
  ...Object.entries(returns).map(([name, make]) => [`returns ${name}`, make]),
  ...Object.entries(throws).map(([name, make]) => [
    `throws ${name}`,
    () => {
      const it = make();
      if (it instanceof Promise) return it;
      throw it;
    },
  ]),
]);
/** A task is told in its instruction what it does, and its tool in the argument. */
const does = (what: unknown) => hostile[String(what)]!() as never;

const callsTool: ThinkInCode = ({ messages, instruction }) =>
  messages.some(({ role }) => role === 'tool') ? 'done' : { text: '', calls: [{ tool: 'tool', args: { a: instruction } }] };
const Args = z.looseObject({ a: z.string() });
const tool = (how: Partial<Tool<z.infer<typeof Args>>>): Tool =>
  defineTool({ name: 'tool', description: '', args: Args, effects: 'none', run: async () => ({ text: 'ran' }), ...how });
const runs = (effects: Effects): Tool => tool({ effects, run: ({ a }) => does(a) });

/** Each place in which code of others runs. */
const places: Readonly<Record<string, Pick<KindDefinition, 'think' | 'check' | 'tools'>>> = {
  think: { think: ({ instruction }) => does(instruction), tools: [tool({})] },
  'run of a tool that reads': { think: callsTool, tools: [runs('none')] },
  'run of a tool that may run twice': { think: callsTool, tools: [runs('idempotent')] },
  'run of a tool that writes': { think: callsTool, tools: [runs('writes')] },
  preview: { think: callsTool, tools: [tool({ preview: ({ a }) => does(a) })] },
  target: { think: callsTool, tools: [tool({ target: ({ a }) => does(a) })] },
  check: { think: () => 'done', check: (_, { instruction }) => does(instruction) },
  'a refinement of the arguments': { think: callsTool, tools: [tool({ args: Args.refine(({ a }) => does(a)) })] },
};
const kinds = Object.values(places).map((place, at) => defineKind({ name: `k${at}`, ...place }));
const typeOf = (place: string) => `k${Object.keys(places).indexOf(place)}`;
const cases = Object.keys(places).flatMap((place) => Object.keys(hostile).map((what) => [place, what] as const));

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { kinds, rosterYaml: 'tools: { gated: [tool] }', types: kinds.map(({ name }) => name) });
});
afterAll(() => crew.stop());

/** Null: the task has ended. Else it asks its operator, or hangs in a function that never settles. */
async function settled(id: string, hangs: boolean): Promise<Status | null> {
  const isStill = ({ state, question }: Status) => question !== null || state === 'done' || (hangs && state !== 'idle');
  const status = await statusWhere(joined.crew, id, isStill);
  return status.state === 'done' ? null : status;
}

const codes = /^(bad-return|mine|internal|overloaded|too-big|not-as-expected)$/;

test.concurrent.each(cases)('a cancel ends a task, and what is told of it is clear: %s %s', async (place, what) => {
  const allowed = place === 'preview' ? [] : ['tool'];
  const id = await joined.crew.dispatch({ type: typeOf(place), instruction: what, allowed });
  const status = await settled(id, what.endsWith('never settles'));
  if (status) {
    expect(Status.safeParse(status).success).toBe(true);
    expect(status.question?.text).not.toBe('');
    await joined.crew.steer(id, { type: 'cancel' });
  }
  const result = await joined.crew.result(id, never);
  expect(Result.safeParse(result).success).toBe(true);
  expect(result.outcome).toMatch(/completed|cancelled|failed/);
  if (result.outcome === 'failed') expect(result.failure?.code).toMatch(codes);
});

test('a think that returns no text makes the task ask for help, with the code and what is wrong', async () => {
  const id = await joined.crew.dispatch({ type: typeOf('think'), instruction: 'returns an object without a text' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question).toMatchObject({ kind: 'stuck', text: expect.stringMatching(/think of k0 .*\(bad-return\)/) });
  await joined.crew.steer(id, { type: 'cancel' });
  expect((await joined.crew.result(id, never)).outcome).toBe('cancelled');
});

test('a tool that returns no text has failed, its model is told why, and a call with effects is listed as failed', async () => {
  const instruction = 'returns a number for a text';
  const id = await joined.crew.dispatch({ type: typeOf('run of a tool that writes'), instruction, allowed: ['tool'] });
  const { outcome, salvage, effects } = await joined.crew.result(id, never);
  expect(outcome).toBe('completed');
  expect(salvage.findings[0]).toMatch(/tool returned what cannot be used \(bad-return\): text: .*string/);
  expect(effects).toMatchObject([{ tool: 'tool', outcome: 'failed' }]);
});

test('what a function does to its arguments does not reach the task', async () => {
  const spoils = defineKind({
    name: 'spoils',
    tools: [tool({ run: async (args) => ({ text: `ran ${delete (args as { a?: string }).a}` }) })],
    think: (thought) => {
      const answered = thought.messages.some(({ role }) => role === 'tool');
      (thought.messages as unknown[]).splice(0);
      (thought as { instruction: unknown }).instruction = 5;
      return answered ? 'done' : { text: '', calls: [{ tool: 'tool', args: { a: 'b' } }] };
    },
    check: (_, task) => {
      (task.effects as unknown[]).push(5);
      return null;
    },
  });
  await crew.node(await crew.join('spoiled'), { kinds: [spoils], types: ['spoils'] });
  const id = await joined.crew.dispatch({ type: 'spoils', instruction: 'do it' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'done', effects: [] });
  const context = (await readState(joined.bus, id))!.record.snapshot!.context as SubAgentContext;
  expect(context.messages).toMatchObject([
    { role: 'user', text: 'do it' },
    { role: 'assistant', calls: [{ args: { a: 'b' } }] },
    { role: 'tool', text: 'ran true' },
    { role: 'assistant', text: 'done' },
  ]);
});

test('a cancel ends a goal whose sub-tasks hang in code of others', async () => {
  const tasks = kinds.map(({ name }) => ({ key: name, type: name, instruction: 'returns a promise that never settles' }));
  const plan = { tasks, reduce: { by: 'concat' as const } };
  await crew.node(await crew.join('goals'), { kinds, types: ['supervisor'], quietMs: 20 });
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'all', plan });
  await statusWhere(joined.crew, id, ({ subTasks }) => subTasks?.running === tasks.length);
  await joined.crew.steer(id, { type: 'cancel' });
  expect((await joined.crew.result(id, never)).outcome).toBe('cancelled');
});
