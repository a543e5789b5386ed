/**
 * One request on the wire and its reply, assembled from the stream. Tool calls arrive in pieces. By the protocol each call has an
 * index, but some servers leave it out or use 0 for every call, so a new id also begins a new call.
 */
import type OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';

import { type ToldUsage, toldCost, toldTokens } from './told-usage.ts';

export interface RawCall {
  id: string;
  tool: string;
  argumentsText: string;
}
export interface RawReply {
  readonly text: string;
  readonly calls: readonly RawCall[];
  readonly usage: ToldUsage | null;
  /** The cost in US dollars if the backend reports it (LiteLLM, OpenRouter), else null. */
  readonly costUsd: number | null;
  readonly finish: string;
  readonly refusal: string | null;
}

/** The backend sent nothing for `silenceMs`. */
export class Silence extends Error {}
/** The reply is longer than any that makes sense: the backend may never stop. */
export class TooLong extends Error {}
/** Longest reply in characters, its text and the arguments of its calls together; about 250,000 tokens. */
const maxReplyChars = 1_000_000;
const maxCalls = 256;

/** The stream ended in the middle of the reply. */
export class BrokenOff extends Error {}

/**
 * Yields pieces of text and returns the complete reply. @throws the errors of `openai`, Silence, BrokenOff, TooLong; the signal's
 * reason.
 */
export async function* replyStream(
  client: OpenAI,
  body: ChatCompletionCreateParamsStreaming,
  { signal, silenceMs }: { readonly signal: AbortSignal; readonly silenceMs: number },
): AsyncGenerator<string, RawReply> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Silence(`it sent nothing for ${silenceMs / 1000} s`)), silenceMs);
  const either = AbortSignal.any([signal, silence.signal]);
  let text = '';
  let refusal = '';
  let finish: string | null = null;
  let usage: RawReply['usage'] = null;
  let costUsd: number | null = null;
  const calls = new CallCollector();
  try {
    const stream = await client.chat.completions.create(body, { signal: either });
    for await (const chunk of stream) {
      timer.refresh();
      const choice = chunk.choices?.[0];
      if (choice?.delta?.refusal) refusal += choice.delta.refusal;
      for (const piece of choice?.delta?.tool_calls ?? []) calls.add(piece);
      if (text.length + refusal.length + calls.chars > maxReplyChars)
        throw new TooLong(`its reply is longer than ${maxReplyChars} characters`);
      if (calls.all.length > maxCalls) throw new TooLong(`its reply asks for more than ${maxCalls} calls`);
      if (choice?.finish_reason) finish = choice.finish_reason;
      if (chunk.usage) {
        usage = toldTokens(chunk.usage) ?? usage;
        costUsd = toldCost(chunk.usage) ?? costUsd;
      }
      const said = choice?.delta?.content;
      if (said) {
        text += said;
        yield said;
        // The time that the reader took is not the backend's silence.
        timer.refresh();
      }
    }
    // An aborted stream of `openai` ends without an error.
    either.throwIfAborted();
  } catch (error) {
    throw either.aborted ? either.reason : error;
  } finally {
    clearTimeout(timer);
  }
  if (finish === null) throw new BrokenOff('the stream ended in the middle of the reply');
  return { text, calls: calls.all, usage, costUsd, finish, refusal: refusal || null };
}

type Piece = NonNullable<ChatCompletionChunk.Choice.Delta['tool_calls']>[number];

class CallCollector {
  readonly all: RawCall[] = [];
  /** Characters of all arguments so far. */
  chars = 0;
  private readonly byIndex = new Map<number, RawCall>();

  add(piece: Piece): void {
    const index = piece.index ?? 0;
    const known = this.byIndex.get(index);
    const isSame =
      known && (!piece.id || !known.id || piece.id === known.id) && !(piece.function?.name && known.tool && known.argumentsText);
    const call = isSame ? known : { id: '', tool: '', argumentsText: '' };
    if (!isSame) {
      this.all.push(call);
      this.byIndex.set(index, call);
    }
    if (piece.id) call.id = piece.id;
    if (piece.function?.name) call.tool = piece.function.name;
    const more = piece.function?.arguments ?? '';
    call.argumentsText += more;
    this.chars += more.length;
  }
}
