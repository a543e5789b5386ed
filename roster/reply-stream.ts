/** One request on the wire and its reply, put together from whatever the server sends. */
import type OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';

import { CallCollector, isJson, type RawCall } from './call-collector.ts';
import type { JsonFields } from './conversation.ts';
import { EchoCollector, thoughtParts } from './echo.ts';
import type { Ending } from './ending.ts';
import { TooLong, type WireEnd, wireValues } from './event-stream.ts';
import { errorIn, ToldError } from './told-error.ts';
import { type ToldUsage, toldCost, toldTokens } from './told-usage.ts';
import { pieceOf } from './wire-piece.ts';

export interface RawReply {
  readonly text: string;
  /** Thoughts that the server kept apart from the text; empty if there are none. */
  readonly thoughts: string;
  readonly calls: readonly RawCall[];
  /** Fields that the server wants back with the reply; those of its calls are with them. */
  readonly echo: JsonFields;
  readonly usage: ToldUsage | null;
  /** The cost in US dollars if the backend reports it (LiteLLM, OpenRouter), else null. */
  readonly costUsd: number | null;
  readonly ending: Ending;
  readonly refusal: string | null;
}

/** The backend sent nothing for `silenceMs`. */
export class Silence extends Error {}
/** Longest reply in characters, its text, thoughts and the arguments of its calls together; about 250,000 tokens. */
const maxReplyChars = 1_000_000;
const maxCalls = 256;
/** For how long usage and `[DONE]` are waited for after the reply has ended, in ms. Some servers never close the connection. */
const maxAfterEndMs = 5_000;

const tookTooLong = (callMs: number): string =>
  `its reply took longer than ${callMs / 1000} s (limits.call_seconds in the roster)`;

/** The stream ended in the middle of the reply. */
export class BrokenOff extends Error {}

/**
 * Yields pieces of text and returns the complete reply. A reply that takes longer than `callMs` is given up as too long.
 * @throws the errors of `openai`, ToldError, NoReply, Silence, BrokenOff, TooLong, SyntaxError; the signal's reason.
 */
export async function* replyStream(
  client: OpenAI,
  body: ChatCompletionCreateParamsStreaming,
  { signal, silenceMs, callMs }: { readonly signal: AbortSignal; readonly silenceMs: number; readonly callMs: number },
): AsyncGenerator<string, RawReply> {
  const givenUp = new AbortController();
  const timer = setTimeout(() => givenUp.abort(new Silence(`it sent nothing for ${silenceMs / 1000} s`)), silenceMs);
  const callTimer = setTimeout(() => givenUp.abort(new TooLong(tookTooLong(callMs))), callMs);
  let afterEnd: NodeJS.Timeout | undefined;
  const either = AbortSignal.any([signal, givenUp.signal]);
  const reply = new Assembly();
  try {
    const response = await client.chat.completions.create(body, { signal: either }).asResponse();
    const values = wireValues(response, () => void (afterEnd ?? timer).refresh(), either);
    try {
      let next = await values.next();
      for (; !next.done; next = await values.next()) {
        const told = errorIn(next.value);
        if (told !== undefined) throw new ToldError(told, response.headers, reply.hasBegun);
        const said = reply.add(next.value.value);
        if (reply.hasEnded) afterEnd ??= setTimeout(() => givenUp.abort(new Silence()), Math.min(silenceMs, maxAfterEndMs));
        if (said) {
          yield said;
          // The time that the reader took is not the backend's silence.
          (afterEnd ?? timer).refresh();
        }
      }
      reply.close(next.value);
    } finally {
      await values.return(undefined as never);
    }
  } catch (error) {
    signal.throwIfAborted();
    const fromWire = givenUp.signal.aborted ? givenUp.signal.reason : error;
    // Whatever happens to the connection after the reply has ended takes nothing from it.
    if (!reply.hasEnded || error instanceof ToldError || error instanceof TooLong) throw fromWire;
  } finally {
    clearTimeout(timer);
    clearTimeout(callTimer);
    clearTimeout(afterEnd);
  }
  return reply.whole();
}

/** The reply so far. */
class Assembly {
  #text = '';
  #thoughts = '';
  #refusal = '';
  #ending: Ending | null = null;
  #usage: ToldUsage | null = null;
  #costUsd: number | null = null;
  #choice: number | null = null;
  #isLast = false;
  #stray = '';
  #half = '';
  readonly #calls = new CallCollector();
  readonly #echo = new EchoCollector();

  get hasBegun(): boolean {
    return this.#text + this.#thoughts + this.#refusal !== '' || this.#calls.count > 0;
  }
  get hasEnded(): boolean {
    return this.#ending !== null;
  }

  /** @returns the text that the value adds. */
  add(value: Readonly<Record<string, unknown>>): string {
    const piece = pieceOf(value, this.#choiceOf(value));
    const more = this.#whole(
      piece.isMessage && piece.text.startsWith(this.#text) ? piece.text.slice(this.#text.length) : piece.text,
    );
    this.#text += more;
    this.#thoughts += piece.thoughts;
    this.#refusal += piece.refusal;
    if (piece.calls !== undefined) this.#calls.add(piece.calls);
    this.#echo.add({ ...piece.said, ...thoughtParts(piece.said.content) });
    const chars = this.#text.length + this.#thoughts.length + this.#refusal.length + this.#calls.chars;
    if (chars > maxReplyChars) throw new TooLong(`its reply is longer than ${maxReplyChars} characters`);
    if (this.#calls.count > maxCalls) throw new TooLong(`its reply asks for more than ${maxCalls} calls`);
    this.#ending = piece.ending ?? this.#ending;
    this.#usage = toldTokens(piece.usage) ?? this.#usage;
    this.#costUsd = toldCost(piece.usage) ?? this.#costUsd;
    if (piece.hasChoice || piece.isLast) this.#isLast = piece.isLast;
    return more;
  }

  /** Keeps back half a character until the other half comes. Without it, the half is left out. */
  #whole(text: string): string {
    const all = this.#half + text;
    this.#half = /[\uD800-\uDBFF]$/.exec(all)?.[0] ?? '';
    return all.slice(0, all.length - this.#half.length).toWellFormed();
  }

  /**
   * The end of the connection. Without a reason the reply counts as whole where the server said that this is the end and no call is
   * cut off. @throws BrokenOff
   */
  close({ isMarked, stray }: WireEnd): void {
    this.#stray = stray;
    if (this.#ending !== null) return;
    if (!isMarked && !(this.#isLast && this.hasBegun)) throw new BrokenOff(this.#brokenOff());
    const isCut = this.#calls.all.some(({ argumentsText }) => argumentsText.trim() !== '' && !isJson(argumentsText));
    this.#ending = isCut ? { kind: 'cut', reason: 'no finish_reason' } : { kind: 'whole', reason: '' };
  }

  whole(): RawReply {
    return {
      text: this.#text,
      thoughts: this.#thoughts.toWellFormed(),
      calls: this.#calls.all,
      echo: this.#echo.fields,
      usage: this.#usage,
      costUsd: this.#costUsd,
      ending: this.#ending ?? { kind: 'cut', reason: 'no finish_reason' },
      refusal: this.#refusal.toWellFormed() || null,
    };
  }

  #brokenOff(): string {
    const where = this.hasBegun ? 'in the middle of the reply' : 'before the reply';
    return `the stream ended ${where}${this.#stray ? `, after “${this.#stray}”` : ''}`;
  }

  /** One choice is asked for. Of several the first one that comes is read. */
  #choiceOf({ choices }: Readonly<Record<string, unknown>>): number {
    const index: unknown = Array.isArray(choices) && choices.length > 0 ? (choices[0]?.index ?? 0) : null;
    if (this.#choice === null && typeof index === 'number') this.#choice = index;
    return this.#choice ?? 0;
  }
}
