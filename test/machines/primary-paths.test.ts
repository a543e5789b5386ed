/**
 * The primary on a path for every edge of a projection of its context; the paths are generated from the chart when the test runs.
 * The contract below is written from the promises in docs/architecture.md and never from the chart’s own output.
 */
import { expect, test } from 'vitest';
import { createActor, type EventObject, fromCallback, type InspectionEvent, type SnapshotFrom } from 'xstate';
import type { Calls, Message } from '../../machines/conversation.ts';
import {
  maxModelCalls,
  type PrimaryActInput,
  type PrimaryMachineEvent,
  type PrimaryThinkInput,
  primary,
  type Told,
} from '../../machines/primary.ts';
import { allTransitions, transitionKey } from '../models/coverage.ts';
import { edgePaths } from '../models/explore.ts';

type Snap = SnapshotFrom<typeof primary>;
type Event = PrimaryMachineEvent | { type: `xstate.error.actor.${'think' | 'act'}`; error: unknown; actorId: string };
const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0 };

function alphabet({ value, context: { replies, calls } }: Snap): Event[] {
  const call = (n: number, at: unknown): Calls[number] => ({
    id: `p${replies}-${n}`,
    tool: 't',
    args: { at },
    effects: 'writes',
  });
  const replied = (text: string, ...asked: Calls): Event => ({ type: 'MODEL_REPLIED', text, calls: asked, usage, backend: 'b' });
  const always: Event[] = [{ type: 'SAY', text: 'word' }, { type: 'INTERRUPT' }];
  if (value === 'thinking')
    return [
      ...always,
      { type: 'MODEL_SAID', text: 'heard' },
      replied('answer'),
      replied(''),
      replied('', call(0, replies)),
      replied('on it', call(0, replies), call(1, replies)),
      replied('', call(0, 'the same')),
      { type: 'MODEL_FAILED', error: { code: 'timeout', message: 'slow', retryable: true } },
      { type: 'xstate.error.actor.think', error: new Error('boom'), actorId: 'think' },
    ];
  if (value === 'acting')
    return [
      ...always,
      { type: 'TOOL_RETURNED', call: calls[0]!.id, text: 'result' },
      { type: 'TOOL_RETURNED', call: calls[0]!.id, text: 'closed', closes: true },
      { type: 'TOOL_RETURNED', call: 'another', text: 'stale' },
      { type: 'xstate.error.actor.act', error: new Error('boom'), actorId: 'act' },
    ];
  return always;
}

const project = ({ value, context: { calls, waiting, partial, closing, step, messages } }: Snap): string => {
  const asked = messages.findLast((message) => message.role === 'assistant');
  const same = asked?.role === 'assistant' && JSON.stringify(asked.calls ?? '').includes('the same');
  return [value, calls.length, Math.min(waiting.length, 2), partial !== '', closing?.length, step, same].join();
};
const label = (event: Event) => JSON.stringify(event).replaceAll(/p\d+-/g, 'p');

/** Drives the real actor along a path and checks the contract after every event. */
function judge(path: readonly Event[], covered: Set<string>): void {
  const inFlight = new Map<'think' | 'act', (event: EventObject) => void>();
  const told: Told[] = [];
  const words: string[] = [];
  let heard = '';
  let calls = 0;
  const actor = createActor(
    primary.provide({
      actors: {
        think: fromCallback<EventObject, PrimaryThinkInput>(({ input, sendBack }) => {
          expect(inFlight.size, 'one effect at a time').toBe(0);
          inFlight.set('think', sendBack);
          calls++;
          expect(textsOf(input.messages, 'user'), 'the next call sees every word').toEqual(words);
          expect(input.isLast, 'only the last one must answer').toBe(calls === maxModelCalls);
          expect(calls, 'no more model calls than one utterance may take').toBeLessThanOrEqual(maxModelCalls);
          expectAnswered(input.messages, 0);
          return () => void inFlight.delete('think');
        }),
        act: fromCallback<EventObject, PrimaryActInput>(({ input, sendBack }) => {
          expect(inFlight.size, 'one effect at a time').toBe(0);
          inFlight.set('act', sendBack);
          expect(input.call.started).toBe(true);
          return () => void inFlight.delete('act');
        }),
      },
    }),
    {
      inspect: (event: InspectionEvent) => {
        if (event.type === '@xstate.microstep') for (const it of event._transitions) covered.add(transitionKey(it as never));
      },
    },
  );
  actor.on('*', (event) => told.push(event));
  actor.subscribe({ error: (error) => expect.fail(String(error)) });
  actor.start();

  const drive = (event: Event) => {
    const before = told.length;
    const wasIdle = actor.getSnapshot().value === 'idle';
    if (event.type === 'SAY') {
      words.push(`word ${words.length}`);
      // Calls count anew from the first one that sees the utterance.
      if (!inFlight.has('act')) calls = 0;
    }
    const waited = actor.getSnapshot().context.waiting.length > 0;
    if (waited && inFlight.has('act') && !inFlightAfter(event, actor.getSnapshot())) calls = 0;
    if (event.type === 'MODEL_SAID') heard += event.text;
    actor.send((event.type === 'SAY' ? { ...event, text: words.at(-1)! } : event) as PrimaryMachineEvent);

    const { value, context } = actor.getSnapshot();
    expect([...inFlight.keys()]).toEqual(value === 'thinking' ? ['think'] : value === 'acting' ? ['act'] : []);
    expect([...textsOf(context.messages, 'user'), ...context.waiting], 'no word is lost').toEqual(words);
    expect(value === 'acting' || context.waiting.length === 0, 'words wait for tools only').toBe(true);
    expectAnswered(context.messages, context.calls.length);
    const now = told.slice(before);
    const idles = now.filter(({ type }) => type === 'idle').length;
    expect(idles, 'idle is told when it comes to rest, once').toBe(value === 'idle' && !wasIdle ? 1 : 0);
    if (idles === 1) expect(now.at(-1), 'idle is the last thing told').toEqual({ type: 'idle' });
    const failed = event.type === 'MODEL_FAILED' || event.type === 'xstate.error.actor.think';
    expect(now.filter(({ type }) => type === 'failed').length, 'a failure is told').toBe(failed ? 1 : 0);
    if (heard !== '' && event.type !== 'MODEL_SAID') {
      if (event.type !== 'MODEL_REPLIED') {
        expect(context.messages, 'what was heard is kept').toContainEqual({ role: 'assistant', text: heard, unfinished: true });
        expect(now[0], 'and the text is told to be over').toEqual({ type: 'reply', text: `${heard} …` });
      }
      heard = '';
    }
    if (event.type === 'INTERRUPT') expect(value, 'interrupting ends it at once').toBe('idle');
    if (event.type === 'MODEL_REPLIED' && value === 'idle') expect(now[0]?.type, 'it ends with a word').toBe('reply');
  };

  for (const event of path) drive(event);
  // Cooperative models and tools bring the primary to rest from any state.
  for (let n = 0; actor.getSnapshot().value !== 'idle'; n++) {
    expect(n, 'it comes to rest').toBeLessThan(8);
    const { value, context } = actor.getSnapshot();
    if (value === 'thinking') drive({ type: 'MODEL_REPLIED', text: 'answer', calls: [], usage, backend: 'b' });
    else drive({ type: 'TOOL_RETURNED', call: context.calls[0]!.id, text: 'result' });
  }
  actor.stop();
}

const textsOf = (messages: readonly Message[], role: Message['role']) =>
  messages.filter((message) => message.role === role).map(({ text }) => text);

/** Whether a tool still has to run after the event. */
const inFlightAfter = (event: Event, { context: { calls } }: Snap): boolean => {
  if (event.type === 'TOOL_RETURNED') return calls[0]!.id !== event.call || calls.length > 1;
  return event.type === 'xstate.error.actor.act' ? calls.length > 1 : event.type !== 'INTERRUPT';
};

/** The chat protocol’s rule: each call has one result, in order, right after it. The last `open` calls have none yet. */
function expectAnswered(messages: readonly Message[], open: number): void {
  const asked = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map(({ id }) => id) : []));
  const results = messages.flatMap((message) => (message.role === 'tool' ? [message.call] : []));
  expect(results, 'every call has its one result').toEqual(asked.slice(0, asked.length - open));
}

test('the primary loses no utterance, call or partial reply on any edge, and always comes to rest', () => {
  const paths = edgePaths<Snap, Event>({ machine: primary, input: undefined, alphabet, project, label, histories: 2 });
  const covered = new Set<string>();
  for (const path of paths) judge(path, covered);
  const all = allTransitions(primary);
  const missed = all.filter((key) => !covered.has(key));
  console.log(`primary: ${paths.length} paths, ${all.length - missed.length} of ${all.length} transitions`);
  expect(paths.length).toBeGreaterThan(500);
  expect(missed).toEqual([]);
});
