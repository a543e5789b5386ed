/**
 * One model call on an endpoint: sent in the backend's dialect, streamed, and converted to conversation.ts. Unexpected replies:
 * - An unknown tool, or arguments of wrong types: returned unchanged. The caller that runs the tool tells the model.
 * - Arguments that are not JSON (cut off, broken): returned as the raw string. They are never repaired, because half a file must
 *   not be written as if it were the whole.
 * - An empty reply: `bad-reply`. A refusal or content filter: `refused`. A stream that breaks off: `interrupted`.
 * - No usage in the stream: the tokens are estimated from the length of the text; with a purse, the cost is the worst case.
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
import { ModelError } from './errors.ts';
import { hasPrice } from './price.ts';
import { inDoubt, nothing, type Purse, Unpaid } from './purse.ts';
import { type RawReply, replyStream } from './reply-stream.ts';
import { requestBody } from './request-body.ts';
import { answerSoFar, formReminder, readTextReply } from './text-tools.ts';
import { estimatePrompt, estimateTokens } from './tokens.ts';
import { isUnbilled } from './wire-error.ts';
import { worstCaseUsd } from './worst-case-cost.ts';

export interface ModelCall {
  readonly client: OpenAI;
  readonly backend: string;
  readonly model: string;
  readonly dialect: Dialect;
  readonly cost: Backend['cost'];
  readonly context: number | null;
  readonly maxOutput: number | null;
  /** Reserves the money for each request, where the backend has a price. Default: nothing is reserved. */
  readonly purse?: Purse | undefined;
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Returns a new id for a call that arrived without one. */
  readonly newId: () => string;
}

const mostReminders = 2;

/** @throws the errors of replyStream, unmapped; ModelError `bad-reply`, `refused`; Unpaid. */
export async function* modelCall(request: ModelRequest, call: ModelCall): AsyncGenerator<ModelEvent> {
  const inText = call.dialect.tools === 'text' && !!request.tools?.length && request.toolChoice !== 'none';
  const corrections: ChatCompletionMessageParam[] = [];
  let spent = nothing;
  for (let reminders = 0; ; reminders++) {
    const body = requestBody(request, call);
    body.messages.push(...corrections);
    const worstUsd = call.purse ? worstCaseUsd(body, call) : null;
    if (worstUsd !== null) await paid(call.purse, worstUsd);
    const stream = replyStream(call.client, body, call);
    let heard = '';
    let told = 0;
    let raw: RawReply | null = null;
    let bill = worstUsd === null ? nothing : inDoubt(worstUsd);
    try {
      let next = await stream.next();
      for (; !next.done; next = await stream.next()) {
        if (!inText) {
          yield { type: 'said', text: next.value };
          continue;
        }
        heard += next.value;
        const text = answerSoFar(heard);
        if (text.length > told) yield { type: 'said', text: text.slice(told) };
        told = Math.max(told, text.length);
      }
      raw = next.value;
    } catch (error) {
      if (isUnbilled(error)) bill = nothing;
      throw error;
    } finally {
      // If the reader stops early, the request ends.
      await stream.return(undefined as never);
      if (raw === null && worstUsd !== null) call.purse?.failed(bill);
    }
    const usage = usageOf(raw, request, call, worstUsd);
    if (worstUsd !== null) call.purse?.replied(usage);
    spent = addUsage(spent, usage);
    if (raw.ending.kind === 'filter' || (raw.refusal && !raw.text && raw.calls.length === 0))
      throw new ModelError('refused', call.backend, raw.refusal ?? 'its content filter stopped the reply');
    const read = inText && raw.calls.length === 0 ? fromText(raw, request, call) : fromNative(raw, request, call);
    if (read) {
      if (!read.text.trim() && read.calls.length === 0)
        throw new ModelError(
          'bad-reply',
          call.backend,
          raw.ending.kind === 'length' ? 'it reached its output limit before saying anything' : 'it said nothing',
        );
      yield { type: 'replied', ...read, usage: spent, finish: finishOf(raw, read.calls) };
      return;
    }
    if (reminders === mostReminders)
      throw new ModelError(
        'bad-reply',
        call.backend,
        `after ${reminders + 1} tries its reply is neither a tool call nor an answer`,
      );
    corrections.splice(0, corrections.length, { role: 'assistant', content: raw.text }, { role: 'user', content: formReminder });
  }
}

async function paid(purse: Purse | undefined, worstUsd: number): Promise<void> {
  try {
    await purse?.reserve(worstUsd);
  } catch (cause) {
    throw new Unpaid(messageOf(cause), { cause });
  }
}

type Read = Pick<ModelReply, 'text' | 'calls'>;

function fromNative(raw: RawReply, { schema }: ModelRequest, { dialect, newId }: ModelCall): Read {
  // The arguments of the forced call are the value. The caller expects it as JSON text.
  if (schema && dialect.structured === 'tools' && raw.calls[0]) return { text: raw.calls[0].argumentsText, calls: [] };
  const ids = new Set<string>();
  const calls = raw.calls
    .filter((call) => call.tool)
    .map(({ id, tool, argumentsText }): RequestedCall => {
      const unique = id && !ids.has(id) ? id : newId();
      ids.add(unique);
      return { id: unique, tool, args: argumentsOf(argumentsText) };
    });
  return { text: raw.text, calls };
}

function fromText(raw: RawReply, { tools = [] }: ModelRequest, { newId }: ModelCall): Read | null {
  const read = readTextReply(raw.text, tools);
  if (read) return { text: read.text, calls: read.calls.map((call) => ({ id: newId(), ...call })) };
  // The first part of an answer that was cut off has been streamed already, so it stays the answer.
  const partial = answerSoFar(raw.text);
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

function usageOf(raw: RawReply, request: ModelRequest, { cost }: ModelCall, worstUsd: number | null): ModelUsage {
  const written = raw.text + raw.thoughts + raw.calls.map((call) => call.tool + call.argumentsText).join('');
  // Words or calls without a token: the count is not of this reply.
  const told = raw.usage?.outputTokens === 0 && written !== '' ? null : raw.usage;
  const { inputTokens, outputTokens } = told ?? { inputTokens: estimatePrompt(request), outputTokens: estimateTokens(written) };
  // A proxy that does not know the price reports a cost of 0.
  const toldUsd = raw.costUsd === 0 && hasPrice({ cost }) ? null : raw.costUsd;
  if (worstUsd !== null && told === null && toldUsd === null) return { ...inDoubt(worstUsd), inputTokens, outputTokens };
  const costUsd = toldUsd ?? (cost ? (inputTokens * cost.input + outputTokens * cost.output) / 1_000_000 : 0);
  return { inputTokens, outputTokens, costUsd };
}
