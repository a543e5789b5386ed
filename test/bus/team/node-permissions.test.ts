/** The permissions of the two roles that host tasks are enough for all that their nodes do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postOutcomes } from '../../../actors/host/call-outcomes.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { askNode } from '../../../bus/ask-node.ts';
import { collect } from '../../../bus/capacity/retention.ts';
import { limitStreams } from '../../../bus/capacity/stream-limits.ts';
import { inspect } from '../../../bus/inspect/inspect.ts';
import { allNodes } from '../../../bus/nodes.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { DeadLetters } from '../../../bus/queue/dead-letters.ts';
import { endTask } from '../../../bus/queue/end-task.ts';
import { restoreConsumers } from '../../../bus/queue/lost-consumers.ts';
import { sweep } from '../../../bus/queue/sweeper.ts';
import { replicate } from '../../../bus/replicas.ts';
import { Memory } from '../../../bus/shared-memory.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { lettersOf } from '../../../cli/letters.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

describe.each([
  ['nkeys', false],
  ['JWTs', true],
])('with %s', (_, jwt) => {
  let crew: TeamCrew;
  let boss: CrewSession;
  let hand: CrewSession;
  let ann: CrewSession;
  let first: CoxNode;
  beforeAll(async () => {
    crew = await TeamCrew.start(
      {
        boss: ['supervisor'],
        hand: ['worker'],
        ann: ['operator'],
        all: ['operator', 'supervisor', 'worker'],
        both: ['operator', 'worker'],
      },
      jwt,
    );
    boss = await crew.join('boss');
    hand = await crew.join('hand');
    ann = await crew.join('ann');
    await crew.node(boss);
    first = await crew.node(hand);
  });
  afterAll(() => crew.stop());
  const now = () => boss.bus.now();
  const single = { type: 'reasoning', instruction: 'x' };

  test('a supervisor sweeps, purges, limits, copies, and both restore consumers', async () => {
    await sweep(boss.bus, { now, leaseMs: 1_000, published: new Set(), graceMs: 0 });
    await collect(boss.bus, { keep: { finishedAfterMs: 0, finishedBytes: 0 } });
    await limitStreams(boss.bus, 50_000_000);
    await limitStreams(boss.bus, -1);
    await expect(replicate(boss.bus, 3)).rejects.toMatchObject({ code: 'nats-no-cluster' });
    await restoreConsumers(boss.bus, ['supervisor'], 1_000);
    await restoreConsumers(hand.bus, ['reasoning'], 1_000);
    expect(crew.denials).toEqual([]);
  });

  test('a worker keeps artifacts and notes', async () => {
    const artifacts = new Artifacts(hand.bus);
    const place = { task: 'k3xq.1', call: 'c1', n: 0 };
    await artifacts.keep(place, { bytes: new TextEncoder().encode('before') });
    expect(await artifacts.keep(place, null)).not.toBeNull();
    const memory = new Memory(hand.bus);
    await memory.remember('colour', 'blue', 'k3xq.1');
    expect((await memory.recall('colour')).map(({ text }) => text)).toEqual(['blue']);
    expect(await memory.forget('colour')).toBe(true);
    expect(crew.denials).toEqual([]);
  });

  test('a supervisor keeps the costs of what it purges, and an operator asks for them', async () => {
    const id = await ann.crew.dispatch({ ...single, instruction: 'cost something' });
    (await crew.model.next((call) => call.texts('user').includes('cost something'))).reply('done');
    await ann.crew.result(id, never);
    const purges = async () =>
      (await collect(boss.bus, { keep: { finishedAfterMs: 0, finishedBytes: 0 } })).purged.map(({ root }) => root);
    // The worker acks after it has told the result.
    await expect.poll(purges, { timeout: 20_000 }).toContain(id.split('.')[0]);
    const { rows } = await ann.crew.costs({ by: ['goal'] });
    expect(rows.find(({ goal }) => goal === 'cost something')).toMatchObject({ inputTokens: 10 });
    expect(crew.denials).toEqual([]);
  });

  test('a task parks, is woken by its deadline, and is told of', async () => {
    const id = await ann.crew.dispatch({ ...single, deadlineAt: new Date(now().getTime() + 2_000).toISOString() });
    (await crew.model.next()).call('ask_operator', { question: 'Well?' });
    expect(await ann.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'deadline' } });
    expect(crew.denials).toEqual([]);
  });

  test('a node that drains gives its task back to another', async () => {
    const other = await crew.node(await crew.join('hand', 'other'), { types: ['files'] });
    const id = await ann.crew.dispatch({ type: 'files', instruction: 'x' });
    await crew.model.next();
    await [first, other].find((node) => node.holding().length > 0)!.drain();
    (await crew.model.next()).reply('done');
    expect((await ann.crew.result(id, never)).output).toBe('done');
    expect((await allNodes(ann.bus)).length).toBeGreaterThanOrEqual(2);
    expect(crew.denials).toEqual([]);
  });

  test('a worker writes a dead letter, which an operator reads and drops', async () => {
    const letters = new DeadLetters(boss.crew);
    const id = await ann.crew.dispatch({ type: 'nobody', instruction: 'x' });
    const held = { node: 'n', now, leaseMs: 1_000 };
    const claimed = await claim(hand.bus, { type: 'nobody', ticket: { id, run: 1 }, seq: 1 }, held);
    const poison = { code: 'poison', message: 'they all died', retryable: false };
    if (claimed.kind === 'run') await endTask(hand.bus, claimed.stored, poison, now().toISOString());
    expect((await letters.list()).map((letter) => letter.id)).toEqual([id]);
    const remote = await lettersOf(ann.crew);
    expect((await remote.list()).map((letter) => letter.id)).toEqual([id]);
    await expect(remote.retry(id, never)).rejects.toMatchObject({ code: 'role-denied' });
    await remote.drop(id);
    expect(await letters.list()).toEqual([]);
    expect(crew.denials).toEqual([]);
  });

  test('the outcome of a lost call reaches the task by a node that hosts goals', async () => {
    const id = await ann.crew.dispatch({ type: 'nobody', instruction: 'x' });
    const said = { call: 'c1', epoch: 1, proof: 'p', text: 't', failed: false, artifacts: [] };
    const outcome = { type: 'outcome' as const, id: 'o1', ...said };
    await postOutcomes(hand.bus, id, [outcome]);
    const stored = await boss.bus.jsm.streams.getMessage('cox_log', { last_by_subj: `cox.tasks.${id}.steering` });
    expect(stored?.json()).toMatchObject({ id: 'o1' });
    expect(crew.denials).toEqual([]);
  });

  test('a member with all three roles is operator and node in one process, and may do everything', async () => {
    const all = await crew.join('all');
    await crew.node(all, { quietMs: 20 });
    const id = await all.crew.dispatch({
      type: 'supervisor',
      instruction: 'g',
      plan: { tasks: [{ key: 'a', type: 'reasoning', instruction: 'a' }], reduce: { by: 'concat' } },
    });
    const call = await crew.model.next();
    const sent = await all.crew.steer(id, { type: 'steer', text: 'briefly' });
    expect(await finalReceipt(all.crew, id, sent)).toMatchObject({ fate: 'applied', by: 'all' });
    await statusWhere(all.crew, id, ({ subTasks }) => subTasks?.running === 1);
    await call.closed;
    (await crew.model.next()).reply('a');
    expect((await all.crew.result(id, never)).outcome).toBe('completed');
    expect((await readState(all.bus, id))?.record.seal?.key).toBe(crew.member('all').list.members.at(-1)?.key);
    expect(crew.denials).toEqual([]);
  });

  test('an operator who hosts no goals has its orders stored by a node that does', async () => {
    const both = await crew.join('both');
    const id = await both.crew.dispatch(single);
    (await crew.model.next()).reply('done');
    expect((await both.crew.result(id, never)).output).toBe('done');
    expect(await (await lettersOf(both.crew)).list()).toEqual([]);
    expect(crew.denials).toEqual([]);
  });

  test('an operator is told what a machine does on a node, and asks for its chart', async () => {
    const over = new AbortController();
    const events = inspect(ann.bus, '*', over.signal);
    const next = events.next();
    await ann.bus.nc.flush();
    const id = await ann.crew.dispatch(single);
    (await crew.model.next()).reply('done');
    expect((await next).value).toMatchObject({ type: '@xstate.actor', task: id });
    await ann.crew.result(id, never);
    expect(await askNode(ann.bus, 'machine', { task: id })).toMatchObject({ machine: 'sub-agent', live: { value: 'done' } });
    over.abort();
    await events.return(undefined);
    expect(crew.denials).toEqual([]);
  });

  test('after a revocation and a reload the member is cut off, and cannot log in again', async () => {
    const gone = await crew.connect('ann');
    const closed = (async () => {
      for await (const { type } of gone.status()) if (type === 'disconnect') return true;
      return false;
    })();
    crew.keeper.revoke('ann');
    await crew.publishMembers();
    await crew.reload();
    expect(await closed).toBe(true);
    await gone.close();
    await expect(crew.join('ann')).rejects.toMatchObject({ code: 'nats-denied' });
    const seen = await boss.crew.tasks();
    expect(seen.length).toBeGreaterThan(0);
  });
});
