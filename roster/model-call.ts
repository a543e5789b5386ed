/**
 * One model call on an endpoint: sent in the backend's dialect, streamed, and converted to conversation.ts. Unexpected replies:
 * - An unknown tool, or arguments of wrong types: returned unchanged. The caller that runs the tool tells the model.
 * - Arguments that are not JSON (cut off, broken): returned as the raw string. They are never repaired, because half a file must
 *   not be written as if it were the whole.
 * - An empty reply: `bad-reply`. A refusal or content filter: `refused`. A stream that breaks off: `interrupted`.
 * - No usage in the stream: the tokens are estimated from the length of the text; with a purse, the cost is the worst case.
 * - Thoughts in the text: they are taken out of it, and a call in them is not run. A call printed as the whole reply is a call.
 * - A call printed as a part of the reply, or cut off: the model is asked once to call or to answer; printed again, it is marked.
 * - A text that was cut off: its rest is asked for once; if it is not whole then, it is marked as cut.
 * - Thoughts that the server keeps apart: they are returned in `echo`, and go back to it with the history.
 * - Tools in text: a reply in neither form is requested again, at most twice, then `bad-reply`.
 */
import type OpenAI from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { messageOf } from '../platform/errors.ts';
import type { Backend } from './backend-schema.ts';
import {
  addUsage,
  type ModelEvent,
  type ModelReply,
  type ModelRequest,
  type ModelUsage,
  type RequestedCall,
} from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { echoOf } from './echo.ts';
import { ModelError } from './errors.ts';
import { answerSoFar, LiveAnswer } from './live-answer.ts';
import { printedCalls } from './printed-calls.ts';
import { inDoubt, nothing, type Purse, Unpaid } from './purse.ts';
import { type RawReply, replyStream } from './reply-stream.ts';
import { usageOf } from './reply-usage.ts';
import { requestBody } from './request-body.ts';
import { hasStrayCall } from './stray-call.ts';
import { formReminder, readTextReply } from './text-tools.ts';
import { splitThoughts, ThoughtFilter } from './thoughts.ts';
import { isUnbilled } from './wire-error.ts';
import { worstCaseUsd } from './worst-case-cost.ts';

export interface ModelCall {
  readonly client: OpenAI;
  /** The number of requests of the client that have left the process. */
  readonly requestsSent: () => number;
  readonly backend: string;
  readonly model: string;
  readonly dialect: Dialect;
  readonly cost: Backend['cost'];
  readonly context: number | null;
  readonly maxOutput: number | null;
  readonly pictures: Backend['pictures'];
  /** Reserves the money for each request, where the backend has a price. Default: nothing is reserved. */
  readonly purse?: Purse | undefined;
  readonly silenceMs: number;
  /** Longest time that one request and its reply may take. */
  readonly callMs: number;
  readonly signal: AbortSignal;
  /** Returns a new id for a call that arrived without one. */
  readonly newId: () => string;
}

const mostReminders = 2;

/** @throws the errors of replyStream, unmapped; ModelError `bad-reply`, `refused`; Unpaid. */
export async function* modelCall(request: ModelRequest, call: ModelCall): AsyncGenerator<ModelEvent> {
  const inText = call.dialect.tools === 'text' && !!request.tools?.length && request.toolChoice !== 'none';
  let corrections: readonly ChatCompletionMessageParam[] = [];
  let spent = nothing;
  for (let reminders = 0; ; reminders++) {
    const { raw, usage } = yield* oneRequest(request, call, corrections, inText);
    spent = addUsage(spent, usage);
    if (raw.ending.kind === 'filter' || (raw.refusal && !raw.text && raw.calls.length === 0))
      throw new ModelError('refused', call.backend, raw.refusal ?? 'its content filter stopped the reply');
    const said = withoutThoughts(raw);
    const read = inText && raw.calls.length === 0 ? fromText(said, request, call) : fromNative(said, request, call);
    if (read) {
      if (!read.text.trim() && read.calls.length === 0) throw emptyReply(said, call);
      const first = asReply(said, read, spent);
      if (!inText && printsCall(first, request)) yield yield* calledAgain(first, request, call);
      else yield first.cut !== undefined && !inText ? yield* continued(first, request, call) : first;
      return;
    }
    if (reminders === mostReminders)
      throw new ModelError(
        'bad-reply',
        call.backend,
        `after ${reminders + 1} tries its reply is neither a tool call nor an answer`,
      );
    corrections = [
      { role: 'assistant', content: said.text || '…' },
      { role: 'user', content: formReminder },
    ];
  }
}

/** Sends one request. It yields what is said, and returns the whole reply with its bill. */
async function* oneRequest(
  request: ModelRequest,
  call: ModelCall,
  corrections: readonly ChatCompletionMessageParam[],
  inText: boolean,
): AsyncGenerator<ModelEvent, { raw: RawReply; usage: ModelUsage }> {
  const body = requestBody(request, call);
  body.messages.push(...corrections);
  const worstUsd = call.purse ? worstCaseUsd(body, call) : null;
  if (worstUsd !== null) await paid(call.purse, worstUsd);
  const sentBefore = call.requestsSent();
  const stream = replyStream(call.client, body, call);
  const live = inText ? new LiveAnswer() : new ThoughtFilter();
  let raw: RawReply | null = null;
  let bill = worstUsd === null ? nothing : inDoubt(worstUsd);
  try {
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      const text = live.push(next.value);
      if (text) yield { type: 'said', text };
    }
    const rest = live.end();
    if (rest) yield { type: 'said', text: rest };
    raw = next.value;
  } catch (error) {
    if (isUnbilled(error) || call.requestsSent() === sentBefore) bill = nothing;
    throw error;
  } finally {
    // If the reader stops early, the request ends.
    await stream.return(undefined as never);
    if (raw === null && worstUsd !== null) call.purse?.failed(bill);
  }
  const usage = usageOf(raw, body, request, call, worstUsd);
  if (worstUsd !== null) call.purse?.replied(usage);
  return { raw, usage };
}

const goOn = 'Your reply was cut off. Go on exactly where it stopped: repeat nothing, and add no introduction.';

/**
 * Asks once for the rest of a text that was cut off. Without it, or if the rest is cut off too, the reply stays marked as cut.
 * Where the request sets a limit of its own, or wants JSON, there is no rest to ask for.
 */
async function* continued(first: ModelReply, request: ModelRequest, call: ModelCall): AsyncGenerator<ModelEvent, ModelReply> {
  if (request.schema || request.maxOutputTokens !== undefined) return first;
  const corrections: ChatCompletionMessageParam[] = [
    { role: 'assistant', content: first.text },
    { role: 'user', content: goOn },
  ];
  try {
    const { raw, usage } = yield* oneRequest({ ...request, toolChoice: 'none' }, call, corrections, false);
    const { text, thoughts } = splitThoughts(raw.text);
    const reply = { ...first, usage: addUsage(first.usage, usage) };
    if (!text.trim() || raw.ending.kind === 'filter') return reply;
    const { cut: _, ...whole } = reply;
    const all = [first.thoughts, raw.thoughts, thoughts].filter(Boolean).join('\n\n');
    return {
      ...whole,
      // Some models begin again.
      text: text.startsWith(first.text) ? text : first.text + text,
      finish: finishOf(raw, []),
      ...(raw.ending.kind !== 'whole' && { cut: raw.ending.reason }),
      ...(all && { thoughts: all }),
    };
  } catch (error) {
    if (call.signal.aborted) throw error;
    return first;
  }
}

/** The model has printed a call of an offered tool, which does not run. */
const printsCall = ({ text, calls }: ModelReply, { tools = [], toolChoice, schema }: ModelRequest): boolean =>
  calls.length === 0 && !schema && toolChoice !== 'none' && hasStrayCall(text, tools);

const callAgain =
  'Nothing has run: the call that you printed is cut off or has text beside it. If you mean to call a tool, call it now, and say nothing else. Otherwise give your whole answer, without a printed call.';
/** A word for `cut`; bus/cut-mark.ts has a sentence for it. */
const printedCall = 'printed call';

/** Asks once what a printed call means. A reply that prints one again is marked, and none of its calls run. */
async function* calledAgain(first: ModelReply, request: ModelRequest, call: ModelCall): AsyncGenerator<ModelEvent, ModelReply> {
  const marked = { ...first, cut: printedCall };
  const corrections: ChatCompletionMessageParam[] = [
    { role: 'assistant', content: first.text },
    { role: 'user', content: callAgain },
  ];
  try {
    yield { type: 'said', text: '\n\n' };
    const { raw, usage } = yield* oneRequest(request, call, corrections, false);
    const spent = addUsage(first.usage, usage);
    const said = withoutThoughts(raw);
    const read = fromNative(said, request, call);
    if (raw.ending.kind === 'filter' || (!read.text.trim() && read.calls.length === 0)) return { ...marked, usage: spent };
    const reply = asReply(said, read, spent);
    return printsCall(reply, request) ? { ...reply, cut: printedCall } : reply;
  } catch (error) {
    if (call.signal.aborted) throw error;
    return marked;
  }
}

function withoutThoughts(raw: RawReply): RawReply {
  const { text, thoughts } = splitThoughts(raw.text);
  return { ...raw, text, thoughts: [raw.thoughts, thoughts].filter(Boolean).join('\n\n') };
}

const asReply = (said: RawReply, read: Read, usage: ModelUsage): ModelReply => ({
  type: 'replied',
  ...read,
  usage,
  finish: finishOf(said, read.calls),
  ...(isCut(said, read) && { cut: said.ending.reason }),
  ...(said.thoughts && { thoughts: said.thoughts }),
  ...(read.echo && { echo: read.echo }),
});

const isCut = ({ ending }: RawReply, { calls }: Read): boolean =>
  calls.length === 0 && (ending.kind === 'length' || ending.kind === 'cut');

function emptyReply({ ending, thoughts }: RawReply, { backend }: ModelCall): ModelError {
  const why =
    ending.kind === 'length'
      ? 'it reached its output limit before saying anything'
      : ending.kind === 'cut'
        ? `it ended (${ending.reason}) before saying anything`
        : thoughts
          ? 'it thought, and then said nothing'
          : 'it said nothing';
  return new ModelError('bad-reply', backend, why);
}

async function paid(purse: Purse | undefined, worstUsd: number): Promise<void> {
  try {
    await purse?.reserve(worstUsd);
  } catch (cause) {
    throw new Unpaid(messageOf(cause), { cause });
  }
}

type Read = Pick<ModelReply, 'text' | 'calls' | 'echo'>;

function fromNative(raw: RawReply, { schema, tools = [], toolChoice }: ModelRequest, call: ModelCall): Read {
  const { dialect, newId } = call;
  // The arguments of the forced call are the value. The caller expects it as JSON text.
  if (schema && dialect.structured === 'tools' && raw.calls[0]) return { text: raw.calls[0].argumentsText, calls: [] };
  const printed = raw.calls.length === 0 && !schema && toolChoice !== 'none' ? printedCalls(raw.text, tools) : null;
  if (printed) return { text: '', calls: printed.map((call) => ({ id: newId(), ...call })) };
  const ids = new Set<string>();
  const named = raw.calls.filter(({ tool }) => tool);
  const calls = named.map(({ id, tool, argumentsText }): RequestedCall => {
    const unique = id && !ids.has(id) ? id : newId();
    ids.add(unique);
    return { id: unique, tool, args: argumentsOf(argumentsText) };
  });
  const echo = echoOf({ ...raw, calls: named }, call);
  return { text: raw.text, calls, ...(echo && { echo }) };
}

function fromText(raw: RawReply, { tools = [] }: ModelRequest, { newId }: ModelCall): Read | null {
  const read = readTextReply(raw.text, tools);
  if (read) return { text: read.text, calls: read.calls.map((call) => ({ id: newId(), ...call })) };
  // The first part of an answer that was cut off has been streamed already, so it stays the answer.
  const partial = hasStrayCall(raw.text, tools) ? '' : answerSoFar(raw.text);
  return partial ? { text: partial, calls: [] } : null;
}

/** Some servers write the arguments as JSON within a JSON string, or `null` for none. */
function argumentsOf(text: string): unknown {
  if (!text.trim()) return {};
  try {
    const args: unknown = JSON.parse(text);
    if (args === null) return {};
    const inner: unknown = typeof args === 'string' && /^\s*\{/.test(args) ? JSON.parse(args) : undefined;
    return typeof inner === 'object' && inner !== null ? inner : args;
  } catch {
    return text;
  }
}

function finishOf({ ending }: RawReply, calls: readonly RequestedCall[]): ModelReply['finish'] {
  if (ending.kind === 'length') return 'length';
  return calls.length > 0 ? 'tools' : 'stop';
}
