import { beforeEach, expect, test } from 'vitest';
import { createActor, type EventObject, fromCallback } from 'xstate';
import { maxModelCalls, primary } from '../../machines/primary.ts';
import type { PrimaryActInput, PrimaryMachineEvent, PrimaryThinkInput, Told } from '../../machines/primary-context.ts';

/** An effect in flight, controlled by the test. */
interface Flight<Input> {
  readonly input: Input;
  say(event: PrimaryMachineEvent): void;
  isOver: boolean;
}
const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0 };

function rig() {
  const thoughts: Flight<PrimaryThinkInput>[] = [];
  const acts: Flight<PrimaryActInput>[] = [];
  const held = <Input>(flights: Flight<Input>[]) =>
    fromCallback<EventObject, Input>(({ input, sendBack }) => {
      const flight: Flight<Input> = { input, say: sendBack, isOver: false };
      flights.push(flight);
      return () => {
        flight.isOver = true;
      };
    });
  const actor = createActor(primary.provide({ actors: { think: held(thoughts), act: held(acts) } }));
  const told: Told[] = [];
  /** What was told, without the beginning and the end of each line. */
  const words: Told[] = [];
  actor.on('*', (event) => {
    told.push(event);
    if (event.type !== 'began' && event.type !== 'ended') words.push(event);
  });
  actor.start();
  return {
    actor,
    thoughts,
    acts,
    told,
    words,
    say: (text: string) => actor.send({ type: 'SAY', line: { id: text, text } }),
    sayFirst: (text: string) => actor.send({ type: 'SAY', line: { id: text, text }, isFirst: true }),
    heard: (text: string) => thoughts.at(-1)!.say({ type: 'MODEL_SAID', text }),
    replied: (text: string, ...tools: string[]) => {
      const calls = tools.map((tool, n) => ({
        id: `c${thoughts.length}-${n}`,
        tool,
        args: { n: thoughts.length },
        effects: 'writes' as const,
      }));
      thoughts.at(-1)!.say({ type: 'MODEL_REPLIED', text, calls, usage, backend: 'main' });
    },
    returned: (text: string, how: { closes?: true; did?: true } = {}) =>
      acts.at(-1)!.say({ type: 'TOOL_RETURNED', call: acts.at(-1)!.input.call.id, text, ...how }),
    seen: () => thoughts.at(-1)!.input.messages.map(({ role, text }) => `${role}: ${text}`),
  };
}
let it: ReturnType<typeof rig>;
beforeEach(() => {
  it = rig();
});

test('the primary reports nothing before the first utterance', () => {
  expect(it.told).toEqual([]);
  expect(it.thoughts).toEqual([]);
});

const reply = (text: string, by: 'model' | 'code' = 'model'): Told => ({ type: 'reply', text, by });
const line = (text: string) => ({ id: text, text });

test('a line is thought about, answered, and followed by its end and one idle', () => {
  it.say('hello');
  it.heard('Hel');
  it.heard('lo!');
  it.replied('Hello!');
  expect(it.told).toEqual([
    { type: 'began', line: line('hello') },
    { type: 'token', text: 'Hel' },
    { type: 'token', text: 'lo!' },
    reply('Hello!'),
    { type: 'ended', line: line('hello'), how: 'answered' },
    { type: 'idle' },
  ]);
});

test('a second line neither aborts the answer to the first nor joins it, and is answered next', () => {
  it.say('count');
  it.heard('one, two');
  it.say('backwards');
  expect(it.thoughts).toHaveLength(1);
  expect(it.thoughts[0]!.isOver).toBe(false);
  it.replied('one, two, three');
  expect(it.seen()).toEqual(['user: count', 'assistant: one, two, three', 'user: backwards']);
  it.replied('three, two, one');
  expect(it.words.filter(({ type }) => type !== 'token')).toEqual([
    reply('one, two, three'),
    reply('three, two, one'),
    { type: 'idle' },
  ]);
});

test('lines that come while tools act are answered one after the other, each in a call of its own', () => {
  it.say('start');
  it.replied('', 'a', 'b');
  it.say('and this');
  it.returned('a done');
  it.say('and that');
  it.returned('b done');
  expect(it.seen().slice(2)).toEqual(['tool: a done', 'tool: b done']);
  it.replied('started');
  expect(it.seen().at(-1)).toBe('user: and this');
  it.replied('this too');
  expect(it.seen().slice(-2)).toEqual(['assistant: this too', 'user: and that']);
});

test('a line that goes first interrupts the answer under way and passes the lines that wait', () => {
  it.say('a story');
  it.heard('Once');
  it.say('later');
  it.sayFirst('stop all');
  expect(it.thoughts[0]!.isOver).toBe(true);
  expect(it.seen().at(-1)).toBe('user: stop all');
  it.replied('stopped');
  expect(it.seen().at(-1)).toBe('user: later');
  expect(it.told.filter(({ type }) => type === 'ended')).toEqual([
    { type: 'ended', line: line('a story'), how: 'interrupted' },
    { type: 'ended', line: line('stop all'), how: 'answered' },
  ]);
});

test('an interrupt ends a model call at once, and the conversation stays', () => {
  it.say('tell me everything');
  it.heard('Once');
  it.actor.send({ type: 'INTERRUPT' });
  expect(it.thoughts[0]!.isOver).toBe(true);
  expect(it.told.at(-1)).toEqual({ type: 'idle' });
  it.say('shorter');
  expect(it.seen()).toEqual(['user: tell me everything', 'assistant: Once', 'assistant: Stopped.', 'user: shorter']);
});

test('an interrupt ends one answer only: the next line is taken', () => {
  it.say('one');
  it.say('two');
  it.actor.send({ type: 'INTERRUPT' });
  expect(it.seen()).toEqual(['user: one', 'assistant: Stopped.', 'user: two']);
});

test('interrupted tools have results that tell which may have run and which did not', () => {
  it.say('do it');
  it.replied('', 'a', 'b');
  it.actor.send({ type: 'INTERRUPT' });
  expect(it.acts[0]!.isOver).toBe(true);
  expect(it.words).toEqual([{ type: 'idle' }]);
  it.say('well?');
  expect(it.seen().slice(2)).toEqual([
    'tool: may have run: the operator interrupted before it returned',
    'tool: not run: the operator interrupted',
    'assistant: Stopped.',
    'user: well?',
  ]);
});

test('what was said elsewhere is in the conversation before the next line', () => {
  it.say('one');
  it.actor.send({
    type: 'HEARD',
    messages: [
      { role: 'user', text: 'there' },
      { role: 'assistant', text: 'yes' },
    ],
  });
  it.say('two');
  it.replied('first');
  expect(it.seen()).toEqual(['user: one', 'assistant: first', 'user: there', 'assistant: yes', 'user: two']);
});

test('what code decides is done without a model, and what was done is told as such', () => {
  it.say('stop everything');
  const call = { id: 'd', tool: 'cancel', args: {}, effects: 'writes' as const };
  it.thoughts[0]!.say({ type: 'DECIDED', text: '', calls: [call] });
  it.returned('k3xq.0 is cancelled.', { closes: true, did: true });
  expect(it.words).toEqual([{ type: 'did', text: 'k3xq.0 is cancelled.' }, { type: 'idle' }]);
  expect(it.acts[0]!.input.backend).toBeNull();
  expect(it.thoughts).toHaveLength(1);
});

test('an idle primary cannot be interrupted', () => {
  expect(it.actor.getSnapshot().can({ type: 'INTERRUPT' })).toBe(false);
});

test('the last model call must answer, and a substitute answer is given if it does not', () => {
  it.say('go on for ever');
  for (let n = 1; n < maxModelCalls; n++) {
    expect(it.thoughts.at(-1)!.input.isLast).toBe(false);
    it.replied('', 'again');
    it.returned(`result ${n}`);
  }
  expect(it.thoughts).toHaveLength(maxModelCalls);
  expect(it.thoughts.at(-1)!.input.isLast).toBe(true);
  it.replied('', 'again');
  expect(it.acts).toHaveLength(maxModelCalls - 1);
  expect(it.words).toEqual([
    reply(`I stopped after ${maxModelCalls} steps without an answer. The last thing I learnt: result 7`, 'code'),
    { type: 'idle' },
  ]);
});

test('the next line starts the count of model calls again', () => {
  it.say('go on');
  for (let n = 1; n < maxModelCalls; n++) {
    it.replied('', 'again');
    it.returned('ok');
  }
  it.say('and now something else');
  it.replied('that was it');
  expect(it.thoughts.at(-1)!.input.isLast).toBe(false);
});

test('the same calls twice within a line end it', () => {
  const call = (id: string) => ({ id, tool: 'look', args: { at: 'x' }, effects: 'none' as const });
  it.say('look');
  it.thoughts[0]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('1')], usage, backend: 'main' });
  it.returned('nothing there');
  it.thoughts[1]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('2')], usage, backend: 'main' });
  expect(it.words.at(0)).toMatchObject({ type: 'reply', text: expect.stringContaining('nothing there') });
  expect(it.told.at(-1)).toEqual({ type: 'idle' });
  it.say('look again');
  it.thoughts[2]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('3')], usage, backend: 'main' });
  expect(it.acts).toHaveLength(2);
});

test('results that need no comment are the reply, and any other result goes to the model', () => {
  it.say('dispatch two');
  it.replied('', 'a', 'b');
  it.returned('a is on it.', { closes: true });
  it.returned('b is on it.', { closes: true });
  expect(it.words).toEqual([reply('a is on it.', 'code'), reply('b is on it.', 'code'), { type: 'idle' }]);
  it.say('dispatch and look');
  expect(it.seen().slice(-2)).toEqual(['assistant: a is on it.\nb is on it.', 'user: dispatch and look']);
  it.replied('', 'a', 'b');
  it.returned('a is on it.', { closes: true });
  it.returned('something to think about');
  expect(it.thoughts).toHaveLength(3);
  it.replied('', 'c', 'd');
  it.returned('something else');
  it.returned('d is on it.', { closes: true });
  expect(it.thoughts).toHaveLength(4);
});

test('a failed model call is reported, and the line that waits is taken', () => {
  it.say('hello');
  it.heard('Hel');
  it.say('again');
  it.thoughts[0]!.say({ type: 'MODEL_FAILED', error: { code: 'timeout', message: 'too slow', retryable: true } });
  expect(it.told.slice(2, 6)).toEqual([
    reply('Hel …'),
    { type: 'failed', error: { code: 'timeout', message: 'too slow' } },
    { type: 'ended', line: line('hello'), how: 'failed' },
    { type: 'began', line: line('again') },
  ]);
  expect(it.seen()).toEqual(['user: hello', 'assistant: Hel', 'assistant: (no answer: too slow)', 'user: again']);
});

test('an effect that crashes is reported as a failure and leaves the primary idle', () => {
  const crash = fromCallback<EventObject, PrimaryThinkInput>(() => {
    throw new Error('boom');
  });
  const actor = createActor(primary.provide({ actors: { think: crash } }));
  const told: Told[] = [];
  actor.on('*', (event) => told.push(event));
  actor.start();
  actor.send({ type: 'SAY', line: line('hello') });
  expect(told.slice(1)).toEqual([
    { type: 'failed', error: { code: 'think-crashed', message: 'Error: boom' } },
    { type: 'ended', line: line('hello'), how: 'failed' },
    { type: 'idle' },
  ]);
  expect(actor.getSnapshot().value).toBe('idle');
});
