import { beforeEach, expect, test } from 'vitest';
import { createActor, type EventObject, fromCallback } from 'xstate';
import {
  maxModelCalls,
  type PrimaryActInput,
  type PrimaryMachineEvent,
  type PrimaryThinkInput,
  primary,
  type Told,
} from '../../machines/primary.ts';

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
  actor.on('*', (event) => told.push(event));
  actor.start();
  return {
    actor,
    thoughts,
    acts,
    told,
    say: (text: string) => actor.send({ type: 'SAY', text }),
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
    returned: (text: string, closes?: true) =>
      acts.at(-1)!.say({ type: 'TOOL_RETURNED', call: acts.at(-1)!.input.call.id, text, ...(closes && { closes }) }),
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

test('an utterance is thought about, answered, and followed by one idle', () => {
  it.say('hello');
  it.heard('Hel');
  it.heard('lo!');
  it.replied('Hello!');
  expect(it.told).toEqual([
    { type: 'token', text: 'Hel' },
    { type: 'token', text: 'lo!' },
    { type: 'reply', text: 'Hello!' },
    { type: 'idle' },
  ]);
});

test('an utterance aborts a model call in flight, keeps its partial reply as unfinished, and the next call sees both', () => {
  it.say('count');
  it.heard('one, two');
  it.say('backwards');
  expect(it.thoughts[0]!.isOver).toBe(true);
  expect(it.seen()).toEqual(['user: count', 'assistant: one, two', 'user: backwards']);
  expect(it.thoughts[1]!.input.messages[1]).toMatchObject({ unfinished: true });
  it.thoughts[0]!.say({ type: 'MODEL_REPLIED', text: 'one, two, three', calls: [], usage, backend: 'main' });
  it.replied('two, one');
  expect(it.told.filter(({ type }) => type !== 'token')).toEqual([
    { type: 'reply', text: 'one, two …' },
    { type: 'reply', text: 'two, one' },
    { type: 'idle' },
  ]);
});

test('utterances that come while tools act all wait for them', () => {
  it.say('start');
  it.replied('', 'a', 'b');
  it.say('and this');
  it.returned('a done');
  it.say('and that');
  expect(it.thoughts).toHaveLength(1);
  it.returned('b done');
  expect(it.seen().slice(2)).toEqual(['tool: a done', 'tool: b done', 'user: and this', 'user: and that']);
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

test('interrupted tools have results that tell which may have run and which did not', () => {
  it.say('do it');
  it.replied('', 'a', 'b');
  it.say('wait');
  it.actor.send({ type: 'INTERRUPT' });
  expect(it.acts[0]!.isOver).toBe(true);
  expect(it.told).toEqual([{ type: 'idle' }]);
  it.say('well?');
  expect(it.seen().slice(2)).toEqual([
    'tool: may have run: the operator interrupted before it returned',
    'tool: not run: the operator interrupted',
    'user: wait',
    'assistant: Stopped.',
    'user: well?',
  ]);
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
  expect(it.told).toEqual([
    { type: 'reply', text: `I stopped after ${maxModelCalls} steps without an answer. The last thing I learnt: result 7` },
    { type: 'idle' },
  ]);
});

test('a new utterance starts the count of model calls again', () => {
  it.say('go on');
  for (let n = 1; n < maxModelCalls; n++) {
    it.replied('', 'again');
    it.returned('ok');
  }
  it.say('and now something else');
  expect(it.thoughts.at(-1)!.input.isLast).toBe(false);
});

test('the same calls twice within an utterance end it', () => {
  const call = (id: string) => ({ id, tool: 'look', args: { at: 'x' }, effects: 'none' as const });
  it.say('look');
  it.thoughts[0]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('1')], usage, backend: 'main' });
  it.returned('nothing there');
  it.thoughts[1]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('2')], usage, backend: 'main' });
  expect(it.told.at(0)).toMatchObject({ type: 'reply', text: expect.stringContaining('nothing there') });
  expect(it.told.at(-1)).toEqual({ type: 'idle' });
  it.say('look again');
  it.thoughts[2]!.say({ type: 'MODEL_REPLIED', text: '', calls: [call('3')], usage, backend: 'main' });
  expect(it.acts).toHaveLength(2);
});

test('results that need no comment are the reply, and any other result goes to the model', () => {
  it.say('dispatch two');
  it.replied('', 'a', 'b');
  it.returned('a is on it.', true);
  it.returned('b is on it.', true);
  expect(it.told).toEqual([{ type: 'reply', text: 'a is on it.\nb is on it.' }, { type: 'idle' }]);
  it.say('dispatch and look');
  expect(it.seen().slice(-2)).toEqual(['assistant: a is on it.\nb is on it.', 'user: dispatch and look']);
  it.replied('', 'a', 'b');
  it.returned('a is on it.', true);
  it.returned('something to think about');
  expect(it.thoughts).toHaveLength(3);
  it.replied('', 'c', 'd');
  it.returned('something else');
  it.returned('d is on it.', true);
  expect(it.thoughts).toHaveLength(4);
});

test('an utterance that waited is thought about although the results were the reply', () => {
  it.say('dispatch');
  it.replied('', 'a');
  it.say('thanks');
  it.returned('a is on it.', true);
  expect(it.told).toEqual([{ type: 'reply', text: 'a is on it.' }]);
  expect(it.seen().at(-1)).toBe('user: thanks');
});

test('a failed model call is reported and leaves the primary idle, and the next utterance goes on', () => {
  it.say('hello');
  it.heard('Hel');
  it.thoughts[0]!.say({ type: 'MODEL_FAILED', error: { code: 'timeout', message: 'too slow', retryable: true } });
  expect(it.told.slice(1)).toEqual([
    { type: 'reply', text: 'Hel …' },
    { type: 'failed', error: { code: 'timeout', message: 'too slow' } },
    { type: 'idle' },
  ]);
  it.say('again');
  expect(it.seen()).toEqual(['user: hello', 'assistant: Hel', 'user: again']);
});

test('an effect that crashes is reported as a failure and leaves the primary idle', () => {
  const crash = fromCallback<EventObject, PrimaryThinkInput>(() => {
    throw new Error('boom');
  });
  const actor = createActor(primary.provide({ actors: { think: crash } }));
  const told: Told[] = [];
  actor.on('*', (event) => told.push(event));
  actor.start();
  actor.send({ type: 'SAY', text: 'hello' });
  expect(told).toEqual([{ type: 'failed', error: { code: 'think-crashed', message: 'Error: boom' } }, { type: 'idle' }]);
  expect(actor.getSnapshot().value).toBe('idle');
});
