/**
 * The primary agent, with which the operator talks. It thinks, uses its tools and answers; the operator may write at any moment.
 * K. The received part of a reply that was cut off stays in the conversation, marked unfinished.
 * O. Lines are answered one at a time, in the order in which they came. A line that goes first passes the waiting ones and
 * interrupts the answer under way. No model call sees a line that still waits.
 * M. Each line takes a bounded number of model calls, and the conversation a bounded number of characters.
 * N. A failure is told to the operator and ends the line. Each line has exactly one `began` and one `ended`; `idle` comes when no
 * line waits.
 */
import { assertEvent, assign, type EventObject, enqueueActions, fromCallback, setup } from 'xstate';
import { fitted } from '../platform/cut.ts';
import { answered, type Failure, givenUp, type Message, repeatsItself, reply, spend } from './conversation.ts';
import type { PrimaryActInput, PrimaryContext, PrimaryMachineEvent, PrimaryThinkInput, Told } from './primary-context.ts';
import { lastTurns } from './turns.ts';

/** Maximum number of model calls for one line. The last of them must answer. */
export const maxModelCalls = 8;
/** Maximum length of the stored conversation in characters. A prompt may contain less of it. */
const maxKeptChars = 200_000;

const notProvided = <Input>() =>
  fromCallback<EventObject, Input>(() => {
    throw new Error('effects are provided by actors/: use primary.provide({ actors })');
  });

const asUser = (text: string): Message => ({ role: 'user', text });
const crashed = (what: string, cause: unknown): Failure => ({ code: `${what}-crashed`, message: String(cause), retryable: true });

/** The answer to the operator when the model came to no answer of its own. */
function whereItStands(messages: readonly Message[], why: string): string {
  const last = messages.findLast((message) => message.role === 'tool');
  return last ? `${why} The last thing I learnt: ${fitted(last.text, 1_000)}` : why;
}

export const primary = setup({
  types: { context: {} as PrimaryContext, events: {} as PrimaryMachineEvent, emitted: {} as Told },
  actors: { think: notProvided<PrimaryThinkInput>(), act: notProvided<PrimaryActInput>() },
  guards: {
    hasCall: ({ context }) => context.calls.length > 0,
    isClosed: ({ context }) => context.closing !== null && context.closing.length > 0,
    isAnswered: ({ context }) => context.answer !== null,
    hasLine: ({ context }) => context.line !== null,
    hasWaiting: ({ context }) => context.waiting.length > 0,
    isFirst: ({ event }) => event.type === 'SAY' && event.isFirst === true,
    returnsCall: ({ context, event }) => event.type === 'TOOL_RETURNED' && event.call === context.calls[0]?.id,
  },
  actions: {
    wait: assign(({ context: { waiting }, event }) => {
      assertEvent(event, 'SAY');
      return { waiting: event.isFirst ? [event.line, ...waiting] : [...waiting, event.line] };
    }),
    hearOthers: assign(({ context: { heard }, event }) => {
      assertEvent(event, 'HEARD');
      return { heard: lastTurns([...heard, ...event.messages], maxKeptChars) };
    }),
    takeLine: enqueueActions(({ context: { messages, heard, waiting }, enqueue }) => {
      const [line, ...rest] = waiting;
      const said = [...messages, ...heard, asUser(line!.text)];
      enqueue.assign({ messages: lastTurns(said, maxKeptChars), heard: [], line: line!, waiting: rest, step: 0, answer: null });
      enqueue.emit({ type: 'began', line: line! });
    }),
    endLine: enqueueActions(({ context: { line }, enqueue }, how: 'answered' | 'interrupted' | 'failed') => {
      enqueue.assign({ line: null, answer: null });
      enqueue.emit({ type: 'ended', line: line!, how });
    }),
    beginStep: assign(({ context: { step } }) => ({ step: step + 1, closing: null })),
    hear: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'MODEL_SAID');
      enqueue.assign({ partial: context.partial + event.text });
      enqueue.emit({ type: 'token', text: event.text });
    }),
    keepPartial: enqueueActions(({ context: { partial, messages }, enqueue }) => {
      if (partial === '') return;
      enqueue.assign({ partial: '', messages: [...messages, { role: 'assistant', text: partial, unfinished: true }] });
      enqueue.emit({ type: 'reply', text: `${partial} …`, by: 'model' });
    }),
    recordReply: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'MODEL_REPLIED');
      const { messages, step } = context;
      const repeats = repeatsItself(turnOf(messages), event.calls);
      const goesOn = event.calls.length > 0 && step < maxModelCalls && !repeats;
      const why = repeats
        ? 'I got no further: I was about to do the same again.'
        : `I stopped after ${step} steps without an answer.`;
      const hasText = event.text.trim() !== '';
      const text = hasText || goesOn ? event.text : whereItStands(messages, why);
      enqueue.assign({
        partial: '',
        calls: goesOn ? event.calls : [],
        closing: [],
        answer: goesOn ? null : text,
        replies: context.replies + 1,
        backend: event.backend,
        messages: [...messages, reply(text, goesOn ? event.calls : [], event.echo)],
        usage: spend(context.usage, event.backend, event.usage),
      });
      if (text.trim() !== '') enqueue.emit({ type: 'reply', text, by: hasText ? 'model' : 'code' });
    }),
    recordDecision: enqueueActions(({ context: { messages, replies }, event, enqueue }) => {
      assertEvent(event, 'DECIDED');
      const { text, calls } = event;
      const hasCalls = calls.length > 0;
      enqueue.assign({
        calls,
        closing: [],
        answer: hasCalls ? null : text,
        replies: replies + 1,
        backend: null,
        messages: [...messages, { role: 'assistant', text, ...(hasCalls && { calls }) }],
      });
      if (text !== '') enqueue.emit({ type: 'reply', text, by: 'code' });
    }),
    /** What was done, and what answers the operator, is told at once and in the words of the tool. */
    recordResult: enqueueActions(({ context: { calls, closing, messages }, event, enqueue }) => {
      assertEvent(event, 'TOOL_RETURNED');
      const { text, closes, did } = event;
      enqueue.assign({
        calls: calls.slice(1),
        closing: closes && closing ? [...closing, text] : null,
        messages: [...messages, ...answered(calls.slice(0, 1), text)],
      });
      if (did) enqueue.emit({ type: 'did', text });
      else if (closes) enqueue.emit({ type: 'reply', text, by: 'code' });
    }),
    recordCrash: assign(({ context: { calls, messages } }, { message }: Failure) => ({
      calls: calls.slice(1),
      closing: null,
      messages: [...messages, ...answered(calls.slice(0, 1), `failed: ${message}`)],
    })),
    close: assign(({ context: { closing, messages } }) => {
      const text = closing!.join('\n');
      return { closing: null, answer: text, messages: [...messages, { role: 'assistant' as const, text }] };
    }),
    /** The conversation records how far each call got, and that the operator stopped the work. */
    giveUp: assign(({ context: { messages, calls } }) => ({
      messages: [...messages, ...givenUp(calls, 'the operator interrupted'), { role: 'assistant' as const, text: 'Stopped.' }],
      calls: [],
      closing: null,
    })),
    /** The conversation has a reply to each line, so that a model does not take two lines for one. */
    noteFailure: assign(({ context: { messages } }, { message }: Failure) => ({
      messages: [...messages, { role: 'assistant' as const, text: `(no answer: ${message})` }],
    })),
    beginCall: assign(({ context: { calls } }) => ({
      calls: calls.map((call, i) => (i === 0 ? { ...call, started: true } : call)),
    })),
    tellFailure: enqueueActions(({ enqueue }, { code, message }: Failure) => {
      enqueue.emit({ type: 'failed', error: { code, message } });
    }),
    tellIdle: enqueueActions(({ enqueue }) => {
      enqueue.emit({ type: 'idle' });
    }),
  },
}).createMachine({
  id: 'primary',
  /** Limits the eventless steps after one event. The table in `deciding` takes four at most. */
  options: { maxIterations: 20 },
  context: {
    messages: [],
    partial: '',
    calls: [],
    line: null,
    waiting: [],
    heard: [],
    closing: null,
    answer: null,
    step: 0,
    replies: 0,
    backend: null,
    usage: {},
  },
  on: { HEARD: { actions: 'hearOthers' } },
  initial: 'idle',
  // The chart has no final state: the owner of the actor stops it.
  states: {
    idle: {
      description: 'Nothing is under way. It waits for a line, without a deadline.',
      on: { SAY: { target: 'deciding', actions: 'wait' } },
    },
    deciding: {
      description: 'Transient: chooses the next state after every fact.',
      always: [
        { guard: 'hasCall', target: 'acting', actions: 'beginCall' },
        { guard: 'isClosed', target: 'deciding', reenter: true, actions: 'close' },
        { guard: 'isAnswered', target: 'deciding', reenter: true, actions: { type: 'endLine', params: 'answered' } },
        { guard: 'hasLine', target: 'thinking', actions: 'beginStep' },
        { guard: 'hasWaiting', target: 'thinking', actions: ['takeLine', 'beginStep'] },
        { target: 'idle', actions: 'tellIdle' },
      ],
    },
    thinking: {
      description: 'A model call is in flight. It ends by itself: the backend gives up a silent call.',
      invoke: {
        id: 'think',
        src: 'think',
        input: ({ context: { messages, replies, step, line } }) => ({
          messages,
          replies,
          line: line!,
          isLast: step >= maxModelCalls,
          isFirst: step === 1,
        }),
        onError: {
          target: 'deciding',
          actions: [
            'keepPartial',
            { type: 'noteFailure', params: ({ event }) => crashed('think', event.error) },
            { type: 'tellFailure', params: ({ event }) => crashed('think', event.error) },
            { type: 'endLine', params: 'failed' },
          ],
        },
      },
      on: {
        SAY: [
          {
            guard: 'isFirst',
            target: 'deciding',
            actions: ['wait', 'keepPartial', 'giveUp', { type: 'endLine', params: 'interrupted' }],
          },
          { actions: 'wait' },
        ],
        INTERRUPT: { target: 'deciding', actions: ['keepPartial', 'giveUp', { type: 'endLine', params: 'interrupted' }] },
        MODEL_SAID: { actions: 'hear' },
        MODEL_REPLIED: { target: 'deciding', actions: 'recordReply' },
        DECIDED: { target: 'deciding', actions: ['keepPartial', 'recordDecision'] },
        MODEL_FAILED: {
          target: 'deciding',
          actions: [
            'keepPartial',
            { type: 'noteFailure', params: ({ event }) => event.error },
            { type: 'tellFailure', params: ({ event }) => event.error },
            { type: 'endLine', params: 'failed' },
          ],
        },
      },
    },
    acting: {
      description: 'A tool call is in flight: the first of `calls`. Every tool limits its own waiting time.',
      invoke: {
        id: 'act',
        src: 'act',
        input: ({ context: { calls, backend, line } }) => ({ call: calls[0]!, backend, line: line! }),
        onError: {
          target: 'deciding',
          actions: { type: 'recordCrash', params: ({ event }) => crashed('act', event.error) },
        },
      },
      on: {
        SAY: [
          { guard: 'isFirst', target: 'deciding', actions: ['wait', 'giveUp', { type: 'endLine', params: 'interrupted' }] },
          { actions: 'wait' },
        ],
        INTERRUPT: { target: 'deciding', actions: ['giveUp', { type: 'endLine', params: 'interrupted' }] },
        TOOL_RETURNED: { guard: 'returnsCall', target: 'deciding', actions: 'recordResult' },
      },
    },
  },
});

/** The messages of the current turn. The model may request a call of an earlier turn again. */
function turnOf(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
}
