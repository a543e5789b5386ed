/** Lists of any length come in pages that fit into a reply, and who follows `next` to the end gets every row once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { startService, type Verb } from '../../bus/api-service.ts';
import { type DeadLetter, type PlanRow, TaskSpec } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import { openDeadStream } from '../../bus/queue/dead-letter-stream.ts';
import { DeadLetters } from '../../bus/queue/dead-letters.ts';
import { encodeRecord, newRecord, type StateRecord, withStatus } from '../../bus/state/state-record.ts';
import { readState, stateStream, stateSubject } from '../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
const time = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const task = (id: string, at: string, { type = 'files', instruction = `do ${id}` } = {}): StateRecord =>
  newRecord(id, TaskSpec.parse({ type, instruction: instruction.slice(0, 65_536) }), 'me', at);
const committed = (record: StateRecord, status: Partial<Parameters<typeof withStatus>[1]>): StateRecord => ({
  ...withStatus(record, {
    ...{ at: record.createdAt, state: 'thinking', step: 1, backend: null, paused: false, question: null },
    ...{ receipts: [], usage, outcome: null, ...status },
  }),
  outbox: [],
});

type Row = { readonly id: string | null; readonly key?: string; readonly instruction?: string; readonly askedAt?: string };

/** A crew of its own on the server of this file, whose service answers. */
async function served(namespace: string): Promise<{ joined: CrewSession; ask: typeof ask; pages: typeof pages }> {
  const joined = await crew.join(namespace, namespace);
  const { bus } = joined;
  await startService(bus, {
    crew: joined.crew,
    node: 'n',
    menu: () => [],
    machine: () => ({}) as never,
    roster: () => ({}) as never,
    report: () => ({}) as never,
  });
  type Reply = { next: string | null; more: number; code?: string } & Record<string, Row[]>;
  const ask = async (verb: Verb, body: object): Promise<Reply> =>
    (await bus.nc.request(`${bus.subjects.api()}.${verb}`, JSON.stringify(body), { timeout: 60_000 })).json();
  /** Every row, page after page. */
  const pages = async (verb: Verb, rowsOf: string, body: object = {}) => {
    const all: Row[][] = [];
    let after: string | null = null;
    do {
      const reply: Reply = await ask(verb, { ...body, ...(after !== null && { after }) });
      expect(reply.code).toBeUndefined();
      expect(reply[rowsOf]!.length).toBeGreaterThan(0);
      all.push(reply[rowsOf]!);
      after = reply.next;
      expect(reply.more > 0).toBe(after !== null);
    } while (after !== null);
    return all;
  };
  return { joined, ask, pages };
}

const store = (joined: CrewSession, records: readonly StateRecord[]) =>
  Promise.all(records.map((record) => publish(joined.bus, stateSubject(joined.bus, record.id), encodeRecord(record).value, {})));
const ids = (pages: readonly Row[][]) => pages.flat().map(({ id }) => id);

test('10,000 tasks are paged to the end, each once, the oldest first, also where many are of one time', async () => {
  const { joined, ask, pages } = await served('many');
  const long = { instruction: 'every word of it counts. '.repeat(36) };
  const goals = Array.from({ length: 5_000 }, (_, n) => task(`g${String(n).padStart(4, '0')}.0`, time(n % 100), long));
  const parts = Array.from({ length: 5_000 }, (_, n) => task(`many.${n + 1}`, time(200), long));
  await store(joined, [...goals.toReversed(), ...parts]);
  const whole = await pages('tasks', 'tasks');
  expect(whole.length).toBeGreaterThan(1);
  const inOrder = goals
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id))
    .concat(parts)
    .map(({ id }) => id);
  expect(ids(whole)).toEqual(inOrder);
  expect(ids(await pages('tasks', 'tasks', { limit: 2_600 }))).toEqual(inOrder);
  expect(await ask('tasks', { limit: 1 })).toMatchObject({ tasks: [{ id: 'g0000.0' }], next: `${time(0)}/g0000.0`, more: 9_999 });
});

test('a page begins at the same place although the task it follows was purged and others were added', async () => {
  const { joined, ask } = await served('moving');
  await store(joined, [task('aaaa.0', time(1)), task('bbbb.0', time(2)), task('cccc.0', time(3)), task('dddd.0', time(4))]);
  const first = await ask('tasks', { limit: 2 });
  await joined.bus.jsm.streams.purge(stateStream(joined.bus), { filter: stateSubject(joined.bus, 'bbbb.0') });
  await store(joined, [task('eeee.0', time(5))]);
  const second = await ask('tasks', { after: first.next });
  expect(second).toMatchObject({ tasks: [{ id: 'cccc.0' }, { id: 'dddd.0' }, { id: 'eeee.0' }], next: null, more: 0 });
  expect(await ask('tasks', { after: 'cccc.0' })).toMatchObject({ code: 'bad-cursor' });
  expect(await ask('tasks', { after: second.next ?? `${time(5)}/eeee.0` })).toMatchObject({ tasks: [], next: null });
});

test('a list has only the tasks that fit its filters', async () => {
  const { joined, ask } = await served('fitting');
  const ended = (outcome: 'completed' | 'failed') => ({ state: 'done', outcome }) as const;
  await store(joined, [
    committed(task('aaaa.0', time(1), { type: 'supervisor' }), { state: 'gathering' }),
    committed(task('aaaa.1', time(2)), ended('completed')),
    committed(task('aaaa.2', time(3)), ended('failed')),
    task('bbbb.0', time(4)),
  ]);
  const listed = async (query: object) => (await ask('tasks', query)).tasks?.map(({ id }) => id);
  expect(await listed({ state: ['failed'] })).toEqual(['aaaa.2']);
  expect(await listed({ state: ['idle', 'completed'] })).toEqual(['aaaa.1', 'bbbb.0']);
  expect(await listed({ state: ['done'] })).toEqual(['aaaa.1', 'aaaa.2']);
  expect(await listed({ state: ['unfinished'] })).toEqual(['aaaa.0', 'bbbb.0']);
  expect(await listed({ type: 'files', root: 'aaaa' })).toEqual(['aaaa.1', 'aaaa.2']);
  expect(await listed({ since: time(3) })).toEqual(['aaaa.2', 'bbbb.0']);
  for (const wrong of [{ root: '*' }, { state: [] }, { state: ['asleep'] }, { limit: 0 }, { since: 'noon' }])
    expect(await ask('tasks', wrong)).toMatchObject({ code: 'bad-request' });
});

test('a row that is larger than a message of the server comes alone, with its text cut', async () => {
  const { joined, pages } = await served('large');
  const large = { ...task('bbbb.0', time(2)), instruction: 'x'.repeat(9_000_000) };
  await store(joined, [task('aaaa.0', time(1)), large, task('cccc.0', time(3))]);
  const [before, alone, after] = await pages('tasks', 'tasks');
  expect([before, alone, after].map((page) => page!.map(({ id }) => id))).toEqual([['aaaa.0'], ['bbbb.0'], ['cccc.0']]);
  expect(alone![0]!.instruction).toMatch(/^x{262144} \[… 8,737,856 more characters\]$/);
});

test('the tree of a goal with 10,000 sub-tasks and their questions are paged to the end', async () => {
  const { joined, ask, pages } = await served('wide');
  const plan = Array.from({ length: 10_000 }, (_, n): PlanRow => {
    const id = n < 6_000 ? `wide.${n + 1}` : null;
    return { key: `part-${n}`, type: 'files', instruction: 'work '.repeat(200), after: [], id, status: 'waiting' };
  });
  const question = { id: 'q1', kind: 'asked', text: 'Which of them? '.repeat(60) } as const;
  const parts = plan.slice(0, 6_000).map((row, n) => {
    const record = task(row.id!, time(1), { instruction: row.instruction });
    return committed(record, { state: 'awaiting-steer', question, at: time(n % 7) });
  });
  await store(joined, [{ ...task('wide.0', time(0), { type: 'supervisor' }), plan }, ...parts]);
  const tree = await pages('tree', 'nodes', { task: 'wide.0' });
  expect(tree.length).toBeGreaterThan(1);
  expect(tree.flat().map(({ key }) => key)).toEqual([null, ...plan.map(({ key }) => key)]);
  const [, second] = await pages('tree', 'nodes', { task: 'wide.0', limit: 3_000 });
  expect(second?.[0]?.key).toBe('part-2999');
  expect(await ask('tree', { task: 'wide.0', after: 'wide.0/gone' })).toMatchObject({ code: 'bad-cursor' });

  const questions = await pages('questions', 'questions', { root: 'wide' });
  expect(questions.length).toBeGreaterThan(1);
  expect(new Set(ids(questions)).size).toBe(6_000);
  expect(questions.flat().length).toBe(6_000);
  const asked = questions.flat().map(({ askedAt }) => askedAt);
  expect(asked).toEqual(asked.toSorted());
});

test('5,000 dead letters are paged to the end, listed by type, and dropped together', async () => {
  const { joined, pages } = await served('dead');
  const { bus } = joined;
  await openDeadStream(bus);
  const letters = Array.from({ length: 5_000 }, (_, n): DeadLetter => {
    const spec = TaskSpec.parse({ type: n % 2 === 0 ? 'files' : 'reasoning', instruction: 'a long goal '.repeat(200) });
    const id = `d${String(n).padStart(4, '0')}.0`;
    const common = { kind: 'task', claims: 5, parent: null, key: null, retriedAs: null } as const;
    return { ...common, id, nodes: ['lost'], type: spec.type, why: '5 workers were lost', spec, at: time(n % 9) };
  });
  await Promise.all(letters.map((letter) => publish(bus, bus.subjects.letter(letter.id), JSON.stringify(letter), {})));
  const listed = await pages('dead', 'letters');
  expect(listed.length).toBeGreaterThan(1);
  const inOrder = letters.toSorted((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id));
  expect(ids(listed)).toEqual(inOrder.map(({ id }) => id));
  expect(new Set(ids(await pages('dead', 'letters', { type: 'files', limit: 999 }))).size).toBe(2_500);

  const dead = new DeadLetters(joined.crew);
  await store(joined, [{ ...committed(task('d0000.0', time(0)), { outcome: 'failed' }), deadLetter: 'kept' }]);
  await dead.dropAll((await dead.page({ type: 'files' })).rows, never);
  expect(await dead.page({ limit: 1 })).toMatchObject({ rows: [{ type: 'reasoning' }], more: 2_499 });
  // A worker that still has the ticket does not send the letter again.
  expect((await readState(bus, 'd0000.0'))!.record.deadLetter).toBe('gone');
});
