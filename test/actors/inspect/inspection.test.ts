/** A node tells what happens in its machines to those who listen, and to nobody else. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { inspect } from '../../../bus/inspect/inspect.ts';
import type { Inspected } from '../../../bus/inspect/inspection-messages.ts';
import { mostListeners } from '../../../bus/inspect/listeners.ts';
import { isTaskId } from '../../../bus/task-id.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { quietMs: 20 });
});
afterAll(() => crew.stop());

const single = { type: 'reasoning', instruction: 'Think', backend: 'main' };

/** The messages that a listener has heard so far. */
class Ear {
  readonly heard: Inspected[] = [];
  #news = Promise.withResolvers<void>();
  constructor(of: string, session = joined) {
    const over = new AbortController();
    onTestFinished(() => over.abort());
    void (async () => {
      for await (const message of inspect(session.bus, of, over.signal)) {
        this.heard.push(message);
        this.#news.resolve();
        this.#news = Promise.withResolvers();
      }
    })();
  }
  async first(wanted: (message: Inspected) => boolean): Promise<Inspected> {
    for (;;) {
      const found = this.heard.find(wanted);
      if (found) return found;
      await this.#news.promise;
    }
  }
}
/** Every message on a subject of inspection, as a stranger who has announced nothing would hear it. */
function spy(): string[] {
  const subjects: string[] = [];
  const subscription = joined.bus.nc.subscribe('cox.inspect.>', { callback: (_, { subject }) => void subjects.push(subject) });
  onTestFinished(() => subscription.unsubscribe());
  return subjects;
}

test('a task is told of from its first event to its last state, with the effects that it runs', async () => {
  const ear = new Ear('*');
  await joined.bus.nc.flush();
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch(single);
  await joined.crew.result(id, never);
  const last = await ear.first((it) => it.type === '@xstate.snapshot' && !it.actor && it.snapshot.value === 'done');
  expect(last).toMatchObject({ task: id, epoch: 1, snapshot: { status: 'done' } });
  const ofTask = ear.heard.filter(({ task }) => task === id);
  const events = ofTask.flatMap((it) => (it.type === '@xstate.event' && !it.actor ? [it.event.type] : []));
  expect(events).toEqual(expect.arrayContaining(['xstate.init', 'START', 'MODEL_REPLIED']));
  expect(ofTask.some(({ type, actor }) => type === '@xstate.actor' && actor === 'think')).toBe(true);
  expect(ofTask.map(({ seq }) => seq)).toEqual(ofTask.map((_, i) => i + 1));
});

test('nothing is published for tasks that nobody has asked for, and nothing once a listener has left', async () => {
  const subjects = spy();
  crew.model.answer((call) => call.reply('done'));
  const heardOf = (id: string) => subjects.filter((subject) => subject.endsWith(id)).length;
  const alone = await joined.crew.dispatch(single);
  await joined.crew.result(alone, never);
  const left = new AbortController();
  const events = inspect(joined.bus, 'none', left.signal);
  const next = events.next();
  const other = await joined.crew.dispatch(single);
  await joined.crew.result(other, never);
  left.abort();
  await next;
  const everything = new AbortController();
  const all = inspect(joined.bus, '*', everything.signal);
  const first = all.next();
  const watched = await joined.crew.dispatch(single);
  await joined.crew.result(watched, never);
  await first;
  everything.abort();
  await all.return(undefined);
  await joined.bus.nc.flush();
  const after = await joined.crew.dispatch(single);
  await joined.crew.result(after, never);
  await joined.bus.nc.flush();
  expect([alone, other, after].map(heardOf)).toEqual([0, 0, 0]);
  expect(heardOf(watched)).toBeGreaterThan(3);
});

test('a listener who comes later is told at once where the machine is', async () => {
  const called = crew.model.next();
  const id = await joined.crew.dispatch(single);
  const call = await called;
  const ear = new Ear(id);
  const there = await ear.first((it) => it.task === id);
  expect(there).toMatchObject({ type: '@xstate.actor', machine: 'sub-agent', snapshot: { value: { running: 'thinking' } } });
  call.reply('done');
  await joined.crew.result(id, never);
});

test('of the tokens of a model a few are told, and the others are counted', async () => {
  const called = crew.model.next();
  const id = await joined.crew.dispatch(single);
  const call = await called;
  const ear = new Ear(id);
  await ear.first((it) => it.task === id);
  for (let i = 0; i < 200; i++) call.say(`${i} `);
  call.end();
  await joined.crew.result(id, never);
  await ear.first((it) => it.type === '@xstate.snapshot' && it.snapshot.value === 'done');
  const tokens = ear.heard.filter((it) => it.type === '@xstate.event' && it.event.type === 'MODEL_SAID');
  expect(tokens.length).toBeLessThan(100);
  expect(ear.heard.reduce((sum, { skipped = 0 }) => sum + skipped, 0)).toBeGreaterThan(100);
});

test('secrets are masked and long values cut, wherever they stand', async () => {
  const ear = new Ear('*');
  await joined.bus.nc.flush();
  const called = crew.model.next();
  const id = await joined.crew.dispatch({ ...single, instruction: `Use sk-abcdefghijklmnop1234 ${'x'.repeat(50_000)}` });
  const calledAgain = crew.model.next((call) => call.texts('tool').length > 0);
  (await called).call('write_file', { path: 'a.txt', apiKey: 'hunter2hunter2', text: 'Bearer abcdefghijklmnop' });
  (await calledAgain).reply('done: nats://ann:geheim@host');
  await joined.crew.result(id, never);
  await ear.first((it) => it.task === id && it.type === '@xstate.snapshot' && it.snapshot.value === 'done');
  const text = JSON.stringify(ear.heard);
  for (const secret of ['sk-abcdefghijklmnop1234', 'hunter2hunter2', 'abcdefghijklmnop', 'geheim'])
    expect(text).not.toContain(secret);
  expect(Math.max(...ear.heard.map((message) => JSON.stringify(message).length))).toBeLessThan(25_000);
});

test('a flood of announcements is bounded, and one that is no announcement does nothing', async () => {
  const wanted = (message: object | string) =>
    joined.bus.nc.publish('cox.inspect.wanted', typeof message === 'string' ? message : JSON.stringify(message));
  const subjects = spy();
  for (const bad of ['', 'x', '[]', 'null', '{"listener":"a","of":"*"}', 'x'.repeat(100_000)]) wanted(bad);
  wanted({ listener: 'a b', of: '*', forMs: 1_000 });
  wanted({ listener: 'long', of: '*', forMs: 1_000_000 });
  wanted({ listener: 'injected', of: 'k3xq.>', forMs: 1_000 });
  crew.model.answer((call) => call.reply('done'));
  const quiet = await joined.crew.dispatch(single);
  await joined.crew.result(quiet, never);
  for (let i = 0; i < mostListeners; i++) wanted({ listener: `flood-${i}`, of: 'none', forMs: 30_000 });
  wanted({ listener: 'late', of: '*', forMs: 1_000 });
  await joined.bus.nc.flush();
  const unheard = await joined.crew.dispatch(single);
  await joined.crew.result(unheard, never);
  for (let i = 0; i < mostListeners; i++) wanted({ listener: `flood-${i}`, of: 'none', forMs: 0 });
  wanted({ listener: 'late', of: '*', forMs: 30_000 });
  await joined.bus.nc.flush();
  const heard = await joined.crew.dispatch(single);
  await joined.crew.result(heard, never);
  wanted({ listener: 'late', of: '*', forMs: 0 });
  await joined.bus.nc.flush();
  const published = subjects.filter((subject) => isTaskId(subject.slice('cox.inspect.'.length)));
  expect([...new Set(published)]).toEqual([`cox.inspect.${heard}`]);
});

test('an announcement runs out by itself', async () => {
  const subjects = spy();
  crew.model.answer((call) => call.reply('done'));
  joined.bus.nc.publish('cox.inspect.wanted', JSON.stringify({ listener: 'killed', of: '*', forMs: 1 }));
  await expect
    .poll(async () => {
      const id = await joined.crew.dispatch(single);
      await joined.crew.result(id, never);
      await joined.bus.nc.flush();
      return subjects.filter((subject) => subject.endsWith(id)).length;
    })
    .toBe(0);
});

test('messages that are none, or that are on the subject of another task, are not passed on', async () => {
  const ear = new Ear('*');
  await joined.bus.nc.flush();
  const good = {
    type: '@xstate.event',
    task: 'k3xq.1',
    event: { type: 'X' },
    at: new Date(0).toISOString(),
    node: 'n',
    epoch: 1,
    seq: 1,
  };
  const say = (subject: string, message: object) => joined.bus.nc.publish(subject, JSON.stringify(message));
  say('cox.inspect.k3xq.2', good);
  say('cox.inspect.k3xq.1', { ...good, type: '@xstate.other' });
  say('cox.inspect.k3xq.1', { ...good, event: 'X' });
  say('cox.inspect.k3xq.1', good);
  await ear.first(({ task }) => task === 'k3xq.1');
  expect(ear.heard.filter(({ task }) => task.startsWith('k3xq'))).toEqual([good]);
});
