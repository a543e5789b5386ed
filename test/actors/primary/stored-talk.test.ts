/** The talk on the bus: what survives the end of a session, and what two sessions see of each other. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CoxNode } from '../../../actors/node/node.ts';
import type { PrimaryEvent } from '../../../actors/primary/events.ts';
import type { TalkLine } from '../../../bus/messages.ts';
import { Talk } from '../../../bus/talk/talk.ts';
import { sayLine } from '../../../cli/console/say-line.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
const never = new AbortController().signal;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

/** A session with its node, its events and its view of the stored talk. */
async function session(name: string) {
  const joined = await crew.join(name);
  const node: CoxNode = await crew.node(joined, { types: [] });
  const events = node.primary.events(never)[Symbol.asyncIterator]();
  const talk = new Talk(joined.bus);
  return {
    joined,
    node,
    primary: node.primary,
    talk,
    async until<T extends PrimaryEvent['type']>(
      type: T,
      fits: (event: Extract<PrimaryEvent, { type: T }>) => boolean = () => true,
    ) {
      for (;;) {
        const { value, done } = await events.next();
        if (done) throw new Error(`the events ended before ${type}`);
        if (value.type === type && fits(value as never)) return value as Extract<PrimaryEvent, { type: T }>;
      }
    },
    said: async () => (await talk.lines()).map(({ line: { text, state, by } }) => [text, state, by]),
  };
}
const record = (more: Partial<TalkLine>): TalkLine => ({
  id: randomUUID(),
  text: 'said before',
  first: false,
  by: 'gone',
  at: '2026-01-01T00:00:00.000Z',
  state: 'waiting',
  replies: [],
  ...more,
});

test('lines that are not answered when a session ends are answered once by the next, in their order, and it knows the others', async () => {
  const first = await session('first');
  first.primary.say('one');
  (await crew.model.next()).reply('uno');
  await first.until('idle');
  first.primary.say('two');
  const second = await crew.model.next();
  second.say('d');
  first.primary.say('three');
  await first.node.stop();
  expect(await first.said()).toEqual([
    ['one', 'answered', 'first'],
    ['two', 'held', 'first'],
    ['three', 'waiting', 'first'],
  ]);

  const next = await session('next');
  await next.primary.rejoin(never);
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['one', 'two']);
  expect(call.texts('assistant')).toEqual(['uno']);
  call.reply('dos');
  (await crew.model.next()).reply('tres');
  await next.until('idle');
  await next.node.stop();
  expect(await next.said()).toEqual([
    ['one', 'answered', 'first'],
    ['two', 'answered', 'next'],
    ['three', 'answered', 'next'],
  ]);
});

test('two sessions that start together answer a left line once', async () => {
  const a = await session('a');
  const b = await session('b');
  await a.talk.write(record({}), 0);
  await Promise.all([a.primary.rejoin(never), b.primary.rejoin(never)]);
  (await crew.model.next()).reply('answered');
  await Promise.race([a.until('idle'), b.until('idle')]);
  await Promise.all([a.node.stop(), b.node.stop()]);
  expect(crew.model.calls).toHaveLength(1);
  const [[, state, by]] = (await a.said()) as [string[]];
  expect(state).toBe('answered');
  expect(['a', 'b']).toContain(by);
});

test('a line that may have been acted on is not answered again, and the operator is told', async () => {
  const a = await session('a');
  await a.talk.write(record({ state: 'acting' }), 0);
  await a.primary.rejoin(never);
  expect((await a.until('given-up')).line.text).toBe('said before');
  expect(await a.said()).toEqual([['said before', 'interrupted', 'a']]);
  expect(crew.model.calls).toEqual([]);
});

test('a line said at one session is told at the other, is not answered there, and is known in its next call', async () => {
  const a = await session('a');
  const b = await session('b');
  await b.primary.rejoin(never);
  a.primary.say('hello');
  (await crew.model.next()).reply('Hello!');
  await a.until('idle');
  const { line } = await b.until('elsewhere', ({ line: { state } }) => state === 'answered');
  expect(line).toMatchObject({ text: 'hello', by: 'a', replies: [{ by: 'model', text: 'Hello!' }] });
  b.primary.say('again');
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['hello', 'again']);
  expect(call.texts('assistant')).toEqual(['Hello!']);
  call.reply('Hello again!');
  await b.until('idle');
  expect(crew.model.calls).toHaveLength(2);
});

test('a session whose line was taken over meanwhile acts no more for it', async () => {
  const frozen = await session('frozen');
  frozen.primary.say('start it');
  const call = await crew.model.next();
  const held = async () => (await frozen.talk.lines()).find(({ line }) => line.state === 'held');
  const stored = await waitFor(held);
  await frozen.talk.write({ ...stored.line, by: 'other' }, stored.seq);
  call.call('dispatch_task', { instruction: 'Do it' });
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['not done: another terminal has taken this line over']);
  next.reply('Not mine.');
  await frozen.until('idle');
  expect(await frozen.joined.crew.tasks()).toEqual([]);
  expect(await frozen.said()).toEqual([['start it', 'held', 'other']]);
});

test('messages that are no lines, and the oldest of too many lines, are left out', async () => {
  const { joined, talk } = await session('a');
  await joined.bus.js.publish(joined.bus.subjects.talk('junk'), '{"text":1}');
  await talk.write(record({ text: 'a line' }), 0);
  expect((await talk.lines()).map(({ line }) => line.text)).toEqual(['a line']);
  const { config } = await joined.bus.jsm.streams.info(joined.bus.subjects.talkStream);
  expect(config).toMatchObject({ max_msgs: 1_000, max_msgs_per_subject: 1, discard: 'old' });
});

test('a write after somebody else’s is refused', async () => {
  const { talk } = await session('a');
  const line = record({});
  const stored = await talk.write(line, 0);
  expect(await talk.write(line, 0)).toBeNull();
  expect(await talk.write({ ...line, state: 'held' }, stored!.seq)).toMatchObject({ line: { state: 'held' } });
});

async function waitFor<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
  }
}

test('a line that a console says to a primary is answered there once, and by another one if it dies first', async () => {
  const first = await session('first');
  expect(first.node.report().hearsTalk).toBe(undefined);
  await first.primary.rejoin(never);
  expect(first.node.report().hearsTalk).toBe(true);
  const { by } = await sayLine(first.joined.bus, 'from the page');
  expect(by).toBe('first');
  expect(await first.until('handed')).toMatchObject({ line: { text: 'from the page' } });
  (await crew.model.next()).reply('heard');
  await first.until('idle');
  // Its own lines come back by the same way, some after they have ended, and are not answered again.
  first.primary.say('of my own');
  (await crew.model.next()).reply('heard as well');
  await first.until('idle');
  await sayLine(first.joined.bus, 'and a last one');
  await first.until('handed', ({ line }) => line.text === 'and a last one');
  await crew.model.next();
  await first.node.stop();
  const next = await session('next');
  await next.primary.rejoin(never);
  (await crew.model.next()).reply('heard late');
  await next.until('idle');
  expect(await next.said()).toEqual([
    ['from the page', 'answered', 'first'],
    ['of my own', 'answered', 'first'],
    ['and a last one', 'answered', 'next'],
  ]);
  expect(crew.model.calls.length).toBe(4);
});

test('a line is said to nobody where no primary hears the talk', async () => {
  const { joined, said } = await session('deaf');
  await expect(sayLine(joined.bus, 'hello')).rejects.toMatchObject({ code: 'no-primary' });
  expect(await said()).toEqual([]);
});
