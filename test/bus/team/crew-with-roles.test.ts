/** A crew with roles at work: nodes of two roles, and clients that may not read the streams. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import type { CrewEvent } from '../../../bus/crew-events.ts';
import { sendLetter } from '../../../bus/queue/dead-letter-stream.ts';
import { RemoteCrew } from '../../../bus/remote-crew.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { lettersOf } from '../../../cli/letters.ts';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { never, receiptsOf, statusWhere } from '../../support/watching.ts';

let crew: TeamCrew;
let boss: CrewSession;
let ann: CrewSession;
beforeEach(async () => {
  crew = await TeamCrew.start({ boss: ['supervisor'], hand: ['worker'], ann: ['operator'], eve: ['observer'] });
  boss = await crew.join('boss');
  await crew.node(boss, { quietMs: 20 });
  ann = await crew.join('ann');
});
afterEach(async () => {
  const { denials } = crew;
  await crew.stop();
  expect(denials).toEqual([]);
});

const single = { type: 'reasoning', instruction: 'x' };
const goal = (...keys: string[]) => ({
  type: 'supervisor',
  instruction: 'g',
  plan: { tasks: keys.map((key) => ({ key, type: 'reasoning', instruction: key })), reduce: { by: 'concat' as const } },
});
const childOf = (id: string, n = 1) => id.replace(/0$/, String(n));

test('an operator orders a goal, a supervisor plans it, and a worker does its sub-tasks', async () => {
  await crew.node(await crew.join('hand'));
  expect(ann.crew).toBeInstanceOf(RemoteCrew);
  const id = await ann.crew.dispatch(goal('a', 'b'));
  (await crew.model.next()).reply('one');
  (await crew.model.next()).reply('two');
  const result = await ann.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'completed' });
  expect([result.output!.includes('one'), result.output!.includes('two')]).toEqual([true, true]);
  expect((await ann.crew.tree(id)).map(({ key, outcome }) => [key, outcome])).toEqual([
    [null, 'completed'],
    ['a', 'completed'],
    ['b', 'completed'],
  ]);
  expect((await readState(boss.bus, childOf(id)))?.record).toMatchObject({
    seal: { key: crew.member('boss').list.members[0]!.key },
  });
});

test('receipts name the operator who steered, and a worker whose goal relays the words names the node', async () => {
  await crew.node(await crew.join('hand'));
  const id = await ann.crew.dispatch(goal('a'));
  const call = await crew.model.next();
  const sent = await ann.crew.steer(id, { type: 'steer', text: 'in French' });
  const receipts = await receiptsOf(ann.crew, id, sent);
  expect(receipts.map(({ fate, by }) => [fate, by])).toEqual([
    ['accepted', 'ann'],
    ['queued', 'ann'],
    ['applied', 'ann'],
  ]);
  const below = await statusWhere(ann.crew, childOf(id), ({ receipts: told }) => told.some(({ fate }) => fate === 'queued'));
  expect(below.receipts.map(({ by }) => by)).toEqual(below.receipts.map(() => 'boss'));
  (await crew.model.next()).reply('fait');
  expect(await call.closed).toBe(true);
  expect((await ann.crew.result(id, never)).outcome).toBe('completed');
});

test('a question is answered by an operator, and the answer names the operator after the task was parked', async () => {
  await crew.node(await crew.join('hand'));
  const id = await ann.crew.dispatch(single);
  (await crew.model.next()).call('ask_operator', { question: 'Which colour?' });
  await statusWhere(ann.crew, id, ({ question }) => question !== null);
  const [asked] = await ann.crew.questions();
  const sent = await ann.crew.steer(id, { type: 'answer', question: asked!.question.id, text: 'blue' });
  (await crew.model.next()).reply('blue it is');
  expect((await receiptsOf(ann.crew, id, sent)).at(-1)).toMatchObject({ fate: 'applied', by: 'ann' });
  expect((await ann.crew.result(id, never)).output).toBe('blue it is');
});

test('a steer that waits while its task goes to another node keeps the name of its operator', async () => {
  const first = await crew.node(await crew.join('hand'));
  const id = await ann.crew.dispatch(single);
  await crew.model.next();
  const sent = await ann.crew.steer(id, { type: 'steer', text: 'and then in French', urgency: 'after' });
  await statusWhere(ann.crew, id, ({ receipts }) => receipts.some(({ fate }) => fate === 'queued'));
  await first.drain();
  expect((await readState(boss.bus, id))?.record.inbox).toMatchObject([{ steer: sent.steer, by: 'ann' }]);
  await crew.node(await crew.join('hand'));
  (await crew.model.next()).reply('done');
  (await crew.model.next()).reply('fait');
  expect((await receiptsOf(ann.crew, id, sent)).at(-1)).toMatchObject({ fate: 'applied', by: 'ann' });
  expect((await ann.crew.result(id, never)).output).toBe('fait');
});

test('an observer sees everything, and is told that it may not dispatch or steer', async () => {
  await crew.node(await crew.join('hand'));
  const eve = await crew.join('eve');
  const id = await ann.crew.dispatch(single);
  const call = await crew.model.next();
  expect(await eve.crew.status(id)).toMatchObject({ id, state: 'thinking' });
  expect((await eve.crew.tasks()).map((task) => task.id)).toEqual([id]);
  await expect(eve.crew.dispatch(single)).rejects.toMatchObject({
    code: 'role-denied',
    message: 'eve may not dispatch a task with the role observer',
  });
  await expect(eve.crew.steer(id, { type: 'cancel' })).rejects.toMatchObject({ code: 'role-denied' });
  call.reply('done');
  expect((await eve.crew.result(id, never)).output).toBe('done');
  expect(await eve.crew.status('zzzz.0')).toBeNull();
});

test('an operator who was cut off is told afterwards what became of the tasks that went on', async () => {
  await crew.node(await crew.join('hand'));
  const proxy = await TcpProxy.start(Number(new URL(crew.url).port));
  const over = new AbortController();
  try {
    const far = await crew.join('ann', 'far', `nats://127.0.0.1:${proxy.port}`);
    const before = await far.crew.dispatch(single);
    (await crew.model.next()).reply('long ago');
    await far.crew.result(before, never);
    const id = await far.crew.dispatch(single);
    const call = await crew.model.next();
    const events = far.crew.watch(id, over.signal);
    const first = events.next();
    await far.bus.nc.flush();
    proxy.weather = { kind: 'deaf' };
    proxy.cut();
    call.reply('done');
    await ann.crew.result(id, never);
    proxy.weather = { kind: 'fair' };
    proxy.cut();
    const told: CrewEvent[] = [];
    for (let next = await first; !next.done; next = await events.next()) {
      told.push(next.value);
      if (next.value.kind === 'result') break;
    }
    expect(told.map((event) => [event.kind, event.kind === 'status' ? event.status.outcome : event.id])).toEqual([
      ['status', 'completed'],
      ['result', id],
    ]);
  } finally {
    over.abort();
    await proxy.stop();
  }
});

test('a client of the desk reads long results and artifacts by the nodes, and no file of a machine', async () => {
  await crew.node(await crew.join('hand'));
  const eve = await crew.join('eve');
  const id = await ann.crew.dispatch(single);
  const answer = randomBytes(300_000).toString('base64');
  (await crew.model.next()).reply(answer);
  for (const client of [ann, eve]) expect((await client.crew.result(id, never)).output).toBe(answer);
  const { whole } = (await eve.crew.peekResult(id))!;
  const artifacts = new Artifacts(boss.bus);
  const page = await artifacts.store(
    { task: id, call: 's1-0', n: 'made-0' },
    { name: 'a.png', type: 'image/png', bytes: Buffer.from('a') },
  );
  await artifacts.keep({ task: id, call: 's1-0', n: 0 }, { bytes: Buffer.from('a file of this machine') });
  const { rows } = await eve.crew.artifactPage(id);
  expect(rows.map(({ ref, kind }) => [ref, kind])).toEqual([
    [whole!.ref, 'result'],
    [`${id}/s1-0/0`, 'replaced'],
    [page.ref, 'made'],
  ]);
  expect(await eve.crew.artifact(page.ref)).toEqual({ ...page, content: Buffer.from('a') });
  await expect(eve.crew.artifacts().read(`${id}/s1-0/0`)).rejects.toMatchObject({ code: 'artifact-refused' });
  await expect(eve.crew.artifact(`${id}/s9-0/made-0`)).rejects.toMatchObject({ code: 'artifact-gone' });
});

test('a client of the desk reads lists in pages, and whole ones of any number of pages', async () => {
  const dispatched = [await ann.crew.dispatch(single), await ann.crew.dispatch(single), await ann.crew.dispatch(goal('a', 'b'))];
  const eve = await crew.join('eve');
  const first = await eve.crew.taskPage({ limit: 2 });
  expect([first.rows.map((task) => task.id), first.more]).toEqual([dispatched.slice(0, 2), 1]);
  const second = await eve.crew.taskPage({ limit: 2, after: first.next! });
  expect(second).toMatchObject({ rows: [{ id: dispatched[2] }], next: null, more: 0 });
  expect((await eve.crew.tasks('zzzz')).length).toBe(0);
  expect(await eve.crew.questionPage({ limit: 1 })).toEqual({ rows: [], next: null, more: 0 });
  const goalId = dispatched[2]!;
  await statusWhere(ann.crew, goalId, ({ subTasks }) => subTasks !== undefined);
  const tree = await eve.crew.treePage(goalId, { limit: 2 });
  expect(tree).toMatchObject({ rows: [{ id: goalId }, { key: 'a' }], more: 1 });
  expect((await eve.crew.treePage(goalId, { after: tree.next! })).rows).toMatchObject([{ key: 'b' }]);
  expect((await eve.crew.tree(goalId)).map(({ key }) => key)).toEqual([null, 'a', 'b']);
  await expect(eve.crew.taskPage({ after: 'no place' })).rejects.toMatchObject({ code: 'bad-cursor' });
});

test('a list that no reply can carry whole is asked for until it is', async () => {
  const instruction = 'x'.repeat(60_000);
  const dispatched: string[] = [];
  for (let i = 0; i < 20; i++) dispatched.push(await ann.crew.dispatch({ ...single, instruction }));
  expect((await ann.crew.tasks()).map((task) => task.id)).toEqual(dispatched);
  const page = await ann.crew.taskPage({ limit: 19 });
  expect([page.rows.length, page.more]).toEqual([19, 1]);
});

test('an operator lists and drops dead letters by the nodes', async () => {
  await crew.node(await crew.join('hand'));
  crew.model.answer((call) => call.reply('done'));
  const ids = [await ann.crew.dispatch(single), await ann.crew.dispatch(single), await ann.crew.dispatch(single)];
  for (const id of ids) {
    await ann.crew.result(id, never);
    const stored = await readState(boss.bus, id);
    await sendLetter(boss.bus, { ...stored!.record, deadLetter: 'kept' });
  }
  const [operators, observers] = [await lettersOf(ann.crew), await lettersOf((await crew.join('eve')).crew)];
  const page = await observers.page({ limit: 2 });
  expect([page.rows.length, page.more]).toEqual([2, 1]);
  expect((await observers.list()).map(({ id }) => id)).toEqual(ids);
  const all = await operators.list();
  await operators.drop(ids[0]!);
  await operators.dropAll(all, never);
  expect((await operators.page({ limit: Number.POSITIVE_INFINITY })).rows).toEqual([]);
});

test('a node hosts only what its roles allow', async () => {
  await expect(crew.node(ann)).rejects.toMatchObject({ code: 'role-denied' });
  const hand = await crew.join('hand');
  await expect(crew.node(hand, { types: ['supervisor'] })).rejects.toMatchObject({ code: 'role-denied' });
  const node = await crew.node(hand);
  expect([node.report().types.includes('supervisor'), node.report().types.includes('reasoning')]).toEqual([false, true]);
});

test('without a node an operator is told so', async () => {
  const other = await TeamCrew.start({ ann: ['operator'] });
  try {
    const alone = await other.join('ann');
    await expect(alone.crew.dispatch(single)).rejects.toMatchObject({ code: 'no-node' });
    await expect(alone.crew.tasks()).rejects.toMatchObject({ code: 'no-node' });
  } finally {
    await other.stop();
  }
});

test('a node is no deputy: it sends its reply to an inbox, and to no subject that a worker may not write', async () => {
  await crew.node(await crew.join('hand'));
  const bare = await crew.connect('hand');
  const before = (await boss.bus.jsm.streams.info('cox_work')).state.last_seq;
  bare.publish('cox.api.tasks', '{}', { reply: 'cox.tasks.reasoning.pending' });
  bare.publish('cox.api.outcome', '{}', { reply: 'cox.tasks.reasoning.pending' });
  await bare.flush();
  expect((await bare.request('cox.api.tasks', '{}')).json()).toEqual({ tasks: [], next: null, more: 0 });
  expect((await boss.bus.jsm.streams.info('cox_work')).state.last_seq).toBe(before);
});

test('a reply of the server or of a node never lands in a stream, whatever reply subject a client of the desk names', async () => {
  await crew.node(await crew.join('hand'));
  const id = await ann.crew.dispatch(single);
  const call = await crew.model.next();
  const before = await readState(boss.bus, id);
  const bare = await crew.connect('ann');
  const place = `$KV.cox_tasks.${id}`;
  bare.publish(`cox.tasks.${id}.steering`, 'x', { reply: place });
  bare.publish('cox.api.status', JSON.stringify({ task: id }), { reply: place });
  bare.publish('cox.full', '', { reply: place });
  await bare.flush();
  // A request after them is answered after them.
  await ann.crew.status(id);
  expect((await readState(boss.bus, id))?.record.spec).toEqual(before?.record.spec);
  call.reply('done');
  expect((await ann.crew.result(id, never)).output).toBe('done');
});
