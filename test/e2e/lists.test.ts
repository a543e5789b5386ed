/** `cox status`, `cox inbox` and `cox dead` where there is more than a screen can take. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { type DeadLetter, TaskSpec } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import { openDeadStream } from '../../bus/queue/dead-letter-stream.ts';
import { newRecord, type StateRecord, withStatus } from '../../bus/state/state-record.ts';
import { createState } from '../../bus/state/state-store.ts';
import { joinCrew } from '../../index.ts';
import { World } from './support/world.ts';

let world: World;
let joined: CrewSession;
beforeAll(async () => {
  world = await World.make();
  joined = await joinCrew({ env: world.env, signal: AbortSignal.timeout(600_000), log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await joined.close();
  await world.stop();
});

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const spec = (type: string) => TaskSpec.parse({ type, instruction: `some ${type}` });
const task = (id: string, at: string, type = 'files') => newRecord(id, spec(type), 'me', at);
const done = (record: StateRecord, outcome: 'completed' | 'failed'): StateRecord => ({
  ...withStatus(record, {
    ...{ at: record.createdAt, state: 'done', step: 1, backend: null, paused: false, question: null, receipts: [] },
    ...{ usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 }, outcome },
  }),
  phase: 'done',
  outbox: [],
});
type Listed = { tasks: { id: string }[]; next: string | null; more: number };
const listed = async (...args: string[]): Promise<[ids: string[], next: string | null]> => {
  const { value } = await world.json<Listed>(['status', ...args]);
  return [value.tasks.map(({ id }) => id), value.next];
};

it('the list of tasks ends after 100, says how many there are more, and goes on from there', async () => {
  const open = Array.from({ length: 230 }, (_, n) => task(`many.${n}`, hoursAgo(5)));
  const ended = [done(task('aaaa.0', hoursAgo(9), 'reasoning'), 'failed'), done(task('bbbb.0', hoursAgo(1)), 'completed')];
  await Promise.all([...open, ...ended].map((record) => createState(joined.bus, record)));

  const first = await world.cox(['status']);
  const lines = first.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(102);
  expect(lines.at(-2)).toBe('2 finished (--all shows them)');
  const [, after] = /^130 more: the same command with --after (\S+)$/.exec(lines.at(-1)!)!;
  const last = await world.cox(['status', '--limit', '500', '--after', after!]);
  expect(last.stdout.trimEnd().split('\n')).toHaveLength(131);
  expect(last.stdout).toContain('many.229');
  expect(last.stdout).not.toContain('more:');

  const [ids, next] = await listed('--limit', '150');
  const [others, end] = await listed('--after', next!, '--limit', '150');
  expect([...ids, ...others]).toEqual(open.map(({ id }) => id));
  expect(end).toBeNull();
});

it('the list of tasks has only those that the options mean', async () => {
  expect((await listed('--state', 'failed,completed'))[0]).toEqual(['aaaa.0', 'bbbb.0']);
  expect((await listed('--all', '--type', 'reasoning'))[0]).toEqual(['aaaa.0']);
  expect((await listed('--all', '--since', '2h'))[0]).toEqual(['bbbb.0']);
  expect((await listed('--root', 'bbbb', '--state', 'done'))[0]).toEqual(['bbbb.0']);
  for (const wrong of [
    ['--state', 'asleep'],
    ['--limit', '0'],
    ['--since', 'noon'],
    ['--after', 'many.3'],
  ])
    expect(await world.json(['status', ...wrong])).toMatchObject({ code: 2 });
  expect(await world.json(['status', '--root', 'zzzz'])).toMatchObject({ code: 3 });
  expect((await world.cox(['complete', '--', 'status', '--state', 'failed,ca'])).stdout).toBe('failed,cancelled\t\n');
  expect((await world.cox(['complete', '--', 'status', '--root', 'bb'])).stdout).toContain('bbbb.0');
});

it('the inbox numbers the questions of a page, and goes on after it', async () => {
  const asking = Array.from({ length: 3 }, (_, n) => {
    const question = { id: 'q1', kind: 'asked', text: `Question ${n}?` } as const;
    const { last, ...record } = done(task(`asks.${n}`, hoursAgo(4 - n)), 'completed');
    return { ...record, phase: 'parked' as const, last: { ...last!, state: 'awaiting-steer' as const, outcome: null, question } };
  });
  await Promise.all(asking.map((record) => createState(joined.bus, record)));
  type Inbox = { questions: { number: number; id: string }[]; next: string };
  const { value } = await world.json<Inbox>(['inbox', '--limit', '2']);
  expect(value.questions).toMatchObject([
    { number: 1, id: 'asks.0' },
    { number: 2, id: 'asks.1' },
  ]);
  const { stdout } = await world.cox(['inbox', '--after', value.next]);
  expect(stdout).toMatch(/^1 {2}asks\.2 asks: Question 2\?/);
});

it('dead letters are dropped together, by kind and after a yes', async () => {
  await openDeadStream(joined.bus);
  const bury = async (n: number, type: string) => {
    const id = `dead${n}.0`;
    const common = { kind: 'task', why: 'lost', claims: 5, parent: null, key: null, retriedAs: null } as const;
    const letter: DeadLetter = { ...common, id, type, nodes: [], spec: spec(type), at: hoursAgo(9 - n) };
    await publish(joined.bus, joined.bus.subjects.letter(id), JSON.stringify(letter), {});
  };
  for (const n of [1, 2, 3, 4]) await bury(n, n === 2 ? 'reasoning' : 'files');
  const left = async () => (await world.json<{ letters: { id: string }[] }>(['dead'])).value.letters.map(({ id }) => id);

  expect((await world.cox(['dead', '--limit', '3'])).stdout).toMatch(/^1 more: the same command with --after \S+dead3\.0$/m);
  for (const wrong of [['retry', '--all'], ['--all'], ['drop', 'dead1', '--all'], ['drop'], ['drop', '--all']])
    expect(await world.json(['dead', ...wrong])).toMatchObject({ code: 2 });
  const asked = world.terminal(['dead', 'drop', '--all', '--type', 'files']);
  await asked.line(/^dead1\.0 {2}files {2}lost/);
  await asked.line(/^Drop 3 dead letters\? \[y\/N\]/);
  asked.enter('n');
  expect(await asked.exited).toBe(5);
  expect(await left()).toHaveLength(4);

  const agreed = world.terminal(['dead', 'drop', '--all', '--type', 'files']);
  await agreed.line(/^Drop 3 dead letters\?/);
  agreed.enter('y');
  expect(await agreed.exited).toBe(0);
  expect(await left()).toEqual(['dead2.0']);
  const dropped = await world.json<{ ids: string[] }>(['dead', 'drop', '--all', '--yes']);
  expect(dropped).toMatchObject({ code: 0, value: { ids: ['dead2.0'] } });
  expect((await world.cox(['dead', 'drop', '--all', '--yes'])).stdout).toBe('0 dead letters dropped\n');
});
