import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type DeadLetter, TaskSpec } from '../../../bus/messages.ts';
import { type Claim, claim } from '../../../bus/queue/claim.ts';
import { sendLetter } from '../../../bus/queue/dead-letter-stream.ts';
import { DeadLetters } from '../../../bus/queue/dead-letters.ts';
import { endTask } from '../../../bus/queue/end-task.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let letters: DeadLetters;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  letters = new DeadLetters(joined.crew);
});
afterEach(() => crew.stop());
const now = () => new Date();

/** Claims the task as worker after worker, each lost without progress, until a claim ends it as poison. */
async function poisoned(id: string): Promise<Claim & { kind: 'end' }> {
  for (let worker = 0; worker < 20; worker++) {
    const claimed = await claim(
      joined.bus,
      { type: 'reasoning', ticket: { id, run: 1 }, seq: 99 },
      { node: `n${worker}`, now, leaseMs: 1_000 },
    );
    if (claimed.kind === 'end') return claimed;
  }
  throw new Error('no claim has ended the task as poison');
}

async function dead(instruction = 'Kill them all'): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction, needs: ['reasoning'] });
  const { stored, failure } = await poisoned(id);
  await endTask(joined.bus, stored, failure, now().toISOString());
  return id;
}

/** A goal with two sub-tasks, the first of which ended as poison. No node works on their kind. */
async function deadChild(): Promise<{ goal: string; child: string }> {
  const { bus } = joined;
  await crew.node(joined, { types: ['supervisor'], quietMs: 20 });
  const tasks = ['a', 'b'].map((key) => ({ key, type: 'reasoning', instruction: `Do ${key}` }));
  const goal = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan: { tasks, reduce: { by: 'concat' } } });
  await statusWhere(joined.crew, goal, ({ subTasks }) => subTasks?.running === 2);
  const child = goal.replace(/0$/, '1');
  // The first claim creates the record of a sub-task.
  const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'Do a' });
  await claim(bus, { type: 'reasoning', ticket: { id: child, run: 1, spec }, seq: 99 }, { node: 'n', now, leaseMs: 1_000 });
  const { stored, failure } = await poisoned(child);
  await endTask(bus, stored, failure, now().toISOString());
  return { goal, child };
}
const rowOf = async (goal: string, key: string) =>
  (await readState(joined.bus, goal))!.record.plan.find((row) => row.key === key);

describe('a task that ended as poison', () => {
  test('has a failed result and one letter, which names the lost nodes', async () => {
    const id = await dead();
    expect(await joined.crew.peekResult(id)).toMatchObject({ outcome: 'failed', failure: { code: 'poison' } });
    expect(await letters.list()).toEqual([
      {
        kind: 'task',
        id,
        type: 'reasoning',
        why: '5 workers were lost while they held it, and none got any further',
        claims: 5,
        nodes: ['n0', 'n1', 'n2', 'n3', 'n4'],
        spec: expect.objectContaining({ instruction: 'Kill them all', needs: ['reasoning'] }),
        parent: null,
        key: null,
        retriedAs: null,
        at: expect.any(String),
      },
    ]);
  });

  test('has one letter even if the worker that ended it died before writing it, and however often it is sent', async () => {
    const id = await dead();
    const { bus } = joined;
    const { record } = (await readState(bus, id))!;
    // State after a crash right behind the commit: the record without a letter. (The server still knows the message id of the
    // purged letter.)
    await bus.jsm.streams.delete(bus.subjects.deadStream);
    for (let again = 0; again < 3; again++)
      await claim(bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 99 }, { node: 'next', now, leaseMs: 1 });
    await sendLetter(bus, record);
    expect((await letters.list()).map((letter) => letter.id)).toEqual([id]);
  });

  test('has no letter again after a drop, even if its ticket is redelivered', async () => {
    const id = await dead();
    await letters.drop(id);
    expect(await letters.list()).toEqual([]);
    const { bus } = joined;
    await bus.jsm.streams.delete(bus.subjects.deadStream);
    expect(
      await claim(bus, { type: 'reasoning', ticket: { id, run: 1 }, seq: 99 }, { node: 'next', now, leaseMs: 1 }),
    ).toMatchObject({ why: 'done' });
    expect(await letters.list()).toEqual([]);
    await expect(letters.drop(id)).rejects.toMatchObject({ code: 'unknown-letter' });
  });
});

describe('a retry', () => {
  test('of a goal or a single task dispatches a new task of the same kind and removes the letter', async () => {
    const id = await dead('Now in earnest');
    const retried = await letters.retry(id, never);
    expect(retried).toMatchObject({ how: 'dispatched', id });
    expect(retried.as).not.toBe(id);
    expect(await letters.list()).toEqual([]);
    await crew.node(joined);
    const call = await crew.model.next();
    expect(call.texts('user').join()).toContain('Now in earnest');
    call.reply('done');
    expect(await joined.crew.result(retried.as!, never)).toMatchObject({ outcome: 'completed', output: 'done' });
  });

  test('that was interrupted goes on under the id that it has reserved', async () => {
    const id = await dead();
    const { bus } = joined;
    const [letter] = await letters.list();
    const reserved: DeadLetter = { ...(letter as DeadLetter & { kind: 'task' }), retriedAs: 'begun2.0' };
    await bus.js.publish(bus.subjects.letter(id), JSON.stringify(reserved));
    expect(await letters.retry(id, never)).toEqual({ how: 'dispatched', id, as: 'begun2.0' });
    expect((await joined.crew.tasks()).map((task) => task.id).sort()).toEqual(['begun2.0', id].sort());
  });

  test('by two operators at once starts one task', async () => {
    const id = await dead();
    const other = await crew.join('other');
    const both = await Promise.allSettled([letters.retry(id, never), new DeadLetters(other.crew).retry(id, never)]);
    const started = new Set(both.flatMap((it) => (it.status === 'fulfilled' ? [it.value.as] : [])));
    expect(started.size).toBe(1);
    expect(await joined.crew.tasks()).toHaveLength(2);
    expect(await letters.list()).toEqual([]);
  });

  test('of a sub-task whose goal is alive is a rerun by the goal', async () => {
    const { goal, child } = await deadChild();
    const asked = await statusWhere(joined.crew, goal, ({ question }) => question !== null);
    expect(asked.question?.text).toMatch(/lost/);
    expect(await letters.list()).toMatchObject([{ id: child, parent: goal, key: 'a' }]);
    const retried = await letters.retry(child, never);
    expect(retried).toMatchObject({ how: 'rerun', id: child, parent: goal, key: 'a', receipt: { fate: 'applied' } });
    expect(await letters.list()).toEqual([]);
    const rerun = await statusWhere(joined.crew, goal, ({ subTasks, question }) => subTasks?.running === 2 && question === null);
    expect(rerun.state).toBe('gathering');
    expect(await rowOf(goal, 'a')).toMatchObject({ status: 'running', id: goal.replace(/0$/, '3') });
  });

  test('of a sub-task that its goal already runs again removes the letter and starts nothing', async () => {
    const { goal, child } = await deadChild();
    await statusWhere(joined.crew, goal, ({ question }) => question !== null);
    await joined.crew.steer(goal, { type: 'rerun', key: 'a' });
    await statusWhere(joined.crew, goal, ({ subTasks }) => subTasks?.running === 2);
    const third = goal.replace(/0$/, '3');
    expect(await letters.retry(child, never)).toMatchObject({ how: 'rerun', as: third, receipt: null });
    expect(await letters.list()).toEqual([]);
    expect(await rowOf(goal, 'a')).toMatchObject({ status: 'running', id: third });
  });

  test('of a sub-task whose goal has ended dispatches a separate task', async () => {
    const { goal, child } = await deadChild();
    await joined.crew.steer(goal, { type: 'cancel' });
    crew.model.answer((call) => call.reply('never mind'));
    const rest = await crew.node(await crew.join('rest'), { types: ['reasoning'] });
    await joined.crew.result(goal, never);
    await rest.drain();
    const retried = await letters.retry(child, never);
    expect(retried).toMatchObject({ how: 'dispatched', id: child });
    expect((await readState(joined.bus, retried.as!))!.record.spec).toMatchObject({ type: 'reasoning', instruction: 'Do a' });
  });

  test('without a letter is refused', async () => {
    await expect(letters.retry('nobody.0', never)).rejects.toMatchObject({ code: 'unknown-letter' });
  });
});

test('a malformed ticket becomes a letter, and the tickets behind it are worked on', async () => {
  const { bus } = joined;
  const garbage = ['', 'x'.repeat(9_000), '{"id":"no id","t":1}'];
  const written = Promise.withResolvers<void>();
  let count = 0;
  bus.nc.subscribe(bus.subjects.everyLetter(), { callback: () => void (++count === garbage.length && written.resolve()) });
  for (const payload of garbage) await bus.js.publish(bus.subjects.ticket('reasoning', 'pending'), payload);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'behind them' });
  crew.model.answer((call) => call.reply('done'));
  await crew.node(joined);
  expect((await joined.crew.result(id, never)).output).toBe('done');
  await written.promise;
  const found = (await letters.list()).sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(found).toMatchObject([
    { kind: 'ticket', id: 'ticket-1', type: 'reasoning', why: expect.stringContaining('not JSON'), payload: '', bytes: 0 },
    { kind: 'ticket', id: 'ticket-2', bytes: 9_000 },
    { kind: 'ticket', id: 'ticket-3', why: expect.stringContaining('id: a task id looks like'), payload: garbage[2] },
  ]);
  expect(found[1]).toMatchObject({ payload: 'x'.repeat(4_096) });
  await expect(letters.retry('ticket-2', never)).rejects.toMatchObject({ code: 'bad-letter' });
  await letters.drop('ticket-2');
  expect((await letters.list()).map((letter) => letter.id).sort()).toEqual(['ticket-1', 'ticket-3']);
});
