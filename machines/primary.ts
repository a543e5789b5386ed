/**
 * The primary agent, with which the operator talks. It thinks, uses its tools and answers; the operator may write at any moment.
 * K. The received part of a reply that was cut off stays in the conversation, marked unfinished.
 * O. An utterance aborts a model call in flight, and waits while a tool call is in flight. The next model call sees all
 * utterances.
 * M. Each utterance takes a bounded number of model calls, and the conversation a bounded number of characters.
 * N. A failure is told to the operator and leaves the agent idle. Each utterance is followed by exactly one `idle`, or by another
 * utterance.
 */
import { assertEvent, assign, type EventObject, enqueueActions, fromCallback, setup } from 'xstate';
import {
  answered,
  type Calls,
  type Failure,
  givenUp,
  type Message,
  repeatsItself,
  spend,
  type ToolCall,
  type Usage,
  type UsageByBackend,
} from './conversation.ts';
import { lastTurns } from './turns.ts';

/** Maximum number of model calls for one utterance. The last of them must answer. */
export const maxModelCalls = 8;
/** Maximum length of the stored conversation in characters. A prompt may contain less of it. */
const maxKeptChars = 200_000;

export type PrimaryMachineEvent =
  | { type: 'SAY'; text: string }
  | { type: 'INTERRUPT' }
  | { type: 'MODEL_SAID'; text: string }
  | { type: 'MODEL_REPLIED'; text: string; calls: Calls; usage: Usage; backend: string }
  | { type: 'MODEL_FAILED'; error: Failure }
  /** `closes`: the result itself answers the operator, so no model call has to put it into words. */
  | { type: 'TOOL_RETURNED'; call: string; text: string; closes?: true };

/** The events that the operator sees. The tokens of each text are followed by one `reply`, even if the text was cut off. */
export type Told =
  | { type: 'token'; text: string }
  | { type: 'reply'; text: string }
  | { type: 'failed'; error: { readonly code: string; readonly message: string } }
  | { type: 'idle' };

export interface PrimaryContext {
  readonly messages: readonly Message[];
  /** The text received so far from the model call in flight. */
  readonly partial: string;
  /** Calls that the model requested and that have no result yet. In `acting`, the first of them is in flight. */
  readonly calls: Calls;
  /** Utterances that no model call has seen yet. */
  readonly waiting: readonly string[];
  /** Results of this reply's calls as long as all of them have `closes`; null after one that has not. */
  readonly closing: readonly string[] | null;
  /** The final answer to the utterance. */
  readonly answer: string | null;
  /** Number of model calls made for the utterance. */
  readonly step: number;
  /** Number of model replies since the start. It makes the ids of calls unique. */
  readonly replies: number;
  /** The backend of the last reply. */
  readonly backend: string | null;
  readonly usage: UsageByBackend;
}
/**
 * Input of `think`, a callback actor that sends MODEL_SAID for each chunk, then MODEL_REPLIED or MODEL_FAILED. `isLast`: the
 * model must answer and may not call a tool.
 */
export type PrimaryThinkInput = Pick<PrimaryContext, 'messages' | 'replies'> & { readonly isLast: boolean };
/** Input of `act`, a callback actor that sends TOOL_RETURNED. */
export type PrimaryActInput = { readonly call: ToolCall; readonly backend: string | null };

const notProvided = <Input>() =>
  fromCallback<EventObject, Input>(() => {
    throw new Error('effects are provided by actors/: use primary.provide({ actors })');
  });

const asUser = (text: string): Message => ({ role: 'user', text });
const crashed = (what: string, cause: unknown): Failure => ({ code: `${what}-crashed`, message: String(cause), retryable: true });

/** The answer to the operator when the model came to no answer of its own. */
function whereItStands(messages: readonly Message[], why: string): string {
  const last = messages.findLast((message) => message.role === 'tool');
  return last ? `${why} The last thing I learnt: ${last.text.slice(0, 1_000)}` : why;
}

export const primary = setup({
  types: { context: {} as PrimaryContext, events: {} as PrimaryMachineEvent, emitted: {} as Told },
  actors: { think: notProvided<PrimaryThinkInput>(), act: notProvided<PrimaryActInput>() },
  guards: {
    hasCall: ({ context }) => context.calls.length > 0,
    isClosed: ({ context }) => context.closing !== null && context.closing.length > 0,
    hasWords: ({ context }) => context.waiting.length > 0,
    isAnswered: ({ context }) => context.answer !== null,
    returnsCall: ({ context, event }) => event.type === 'TOOL_RETURNED' && event.call === context.calls[0]?.id,
  },
  actions: {
    wait: assign(({ context, event }) => {
      assertEvent(event, 'SAY');
      return { waiting: [...context.waiting, event.text] };
    }),
    takeWords: assign(({ context: { messages, waiting } }) => ({
      messages: lastTurns([...messages, ...waiting.map(asUser)], maxKeptChars),
      waiting: [],
      step: 0,
    })),
    beginStep: assign(({ context: { step } }) => ({ step: step + 1, closing: null })),
    hear: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'MODEL_SAID');
      enqueue.assign({ partial: context.partial + event.text });
      enqueue.emit({ type: 'token', text: event.text });
    }),
    keepPartial: enqueueActions(({ context: { partial, messages }, enqueue }) => {
      if (partial === '') return;
      enqueue.assign({ partial: '', messages: [...messages, { role: 'assistant', text: partial, unfinished: true }] });
      enqueue.emit({ type: 'reply', text: `${partial} …` });
    }),
    recordReply: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'MODEL_REPLIED');
      const { messages, step } = context;
      const repeats = repeatsItself(turnOf(messages), event.calls);
      const goesOn = event.calls.length > 0 && step < maxModelCalls && !repeats;
      const why = repeats
        ? 'I got no further: I was about to do the same again.'
        : `I stopped after ${step} steps without an answer.`;
      const text = event.text.trim() !== '' || goesOn ? event.text : whereItStands(messages, why);
      enqueue.assign({
        partial: '',
        calls: goesOn ? event.calls : [],
        closing: [],
        answer: goesOn ? null : text,
        replies: context.replies + 1,
        backend: event.backend,
        messages: [...messages, { role: 'assistant', text, ...(goesOn && { calls: event.calls }) }],
        usage: spend(context.usage, event.backend, event.usage),
      });
      if (text.trim() !== '') enqueue.emit({ type: 'reply', text });
    }),
    recordResult: assign(({ context: { calls, closing, messages }, event }) => {
      assertEvent(event, 'TOOL_RETURNED');
      return {
        calls: calls.slice(1),
        closing: event.closes && closing ? [...closing, event.text] : null,
        messages: [...messages, ...answered(calls.slice(0, 1), event.text)],
      };
    }),
    recordCrash: assign(({ context: { calls, messages } }, { message }: Failure) => ({
      calls: calls.slice(1),
      closing: null,
      messages: [...messages, ...answered(calls.slice(0, 1), `failed: ${message}`)],
    })),
    close: enqueueActions(({ context: { closing, messages }, enqueue }) => {
      const text = closing!.join('\n');
      enqueue.assign({ closing: null, answer: text, messages: [...messages, { role: 'assistant', text }] });
      enqueue.emit({ type: 'reply', text });
    }),
    /** The conversation records how far each call got, and that the operator stopped the work. */
    giveUp: assign(({ context: { messages, calls, waiting } }) => ({
      messages: [
        ...messages,
        ...givenUp(calls, 'the operator interrupted'),
        ...waiting.map(asUser),
        { role: 'assistant' as const, text: 'Stopped.' },
      ],
      calls: [],
      waiting: [],
      closing: null,
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
  /** Limits the eventless steps after one event. The table in `deciding` takes three at most. */
  options: { maxIterations: 20 },
  context: {
    messages: [],
    partial: '',
    calls: [],
    waiting: [],
    closing: null,
    answer: null,
    step: 0,
    replies: 0,
    backend: null,
    usage: {},
  },
  initial: 'idle',
  // The chart has no final state: the owner of the actor stops it.
  states: {
    idle: {
      description: 'Nothing is under way. It waits for an utterance, without a deadline.',
      on: { SAY: { target: 'deciding', actions: 'wait' } },
    },
    deciding: {
      description: 'Transient: chooses the next state after every fact.',
      always: [
        { guard: 'hasCall', target: 'acting', actions: 'beginCall' },
        { guard: 'isClosed', target: 'deciding', reenter: true, actions: 'close' },
        { guard: 'hasWords', target: 'thinking', actions: ['takeWords', 'beginStep'] },
        { guard: 'isAnswered', target: 'idle', actions: 'tellIdle' },
        { target: 'thinking', actions: 'beginStep' },
      ],
    },
    thinking: {
      description: 'A model call is in flight. It ends by itself: the backend gives up a silent call.',
      invoke: {
        id: 'think',
        src: 'think',
        input: ({ context: { messages, replies, step } }) => ({ messages, replies, isLast: step >= maxModelCalls }),
        onError: {
          target: 'idle',
          actions: ['keepPartial', { type: 'tellFailure', params: ({ event }) => crashed('think', event.error) }, 'tellIdle'],
        },
      },
      on: {
        SAY: { target: 'deciding', actions: ['keepPartial', 'wait'] },
        INTERRUPT: { target: 'idle', actions: ['keepPartial', 'giveUp', 'tellIdle'] },
        MODEL_SAID: { actions: 'hear' },
        MODEL_REPLIED: { target: 'deciding', actions: 'recordReply' },
        MODEL_FAILED: {
          target: 'idle',
          actions: ['keepPartial', { type: 'tellFailure', params: ({ event }) => event.error }, 'tellIdle'],
        },
      },
    },
    acting: {
      description: 'A tool call is in flight: the first of `calls`. Every tool limits its own waiting time.',
      invoke: {
        id: 'act',
        src: 'act',
        input: ({ context: { calls, backend } }) => ({ call: calls[0]!, backend }),
        onError: {
          target: 'deciding',
          actions: { type: 'recordCrash', params: ({ event }) => crashed('act', event.error) },
        },
      },
      on: {
        SAY: { actions: 'wait' },
        INTERRUPT: { target: 'idle', actions: ['giveUp', 'tellIdle'] },
        TOOL_RETURNED: { guard: 'returnsCall', target: 'deciding', actions: 'recordResult' },
      },
    },
  },
});

/** The messages of the current turn. The model may request a call of an earlier turn again. */
function turnOf(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
}
