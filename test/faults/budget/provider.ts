/**
 * A provider that bills a request for the output it has made, even if the client has left, and never for more than the request
 * allows.
 */
import type { ModelCall } from '../../support/model-server.ts';

export interface Price {
  /** US dollars per million tokens. */
  readonly input: number;
  readonly output: number;
}
/** How much of the largest possible input and output a request is billed for, from 0 to 1. */
export interface Luck {
  readonly input: number;
  readonly output: number;
}
export type Answer = 'reply' | 'look' | 'nonsense' | 'busy' | 'broken' | 'cut';

/** Most tokens that a chat template adds on the provider’s side. */
const templateTokens = 1_024;

export class Provider {
  /** US dollars billed so far. */
  billedUsd = 0;
  requests = 0;
  readonly open: ModelCall[] = [];
  readonly #tag: string;
  readonly #prices: Readonly<Record<string, Price>>;
  readonly #luck: () => Luck;
  readonly #onChange: () => void;
  readonly #ends: Promise<unknown>[] = [];

  /** @param tag Stands in every request of its goal. @param prices By the model’s name. */
  constructor(tag: string, prices: Readonly<Record<string, Price>>, luck: () => Luck, onChange: () => void) {
    this.#tag = tag;
    this.#prices = prices;
    this.#luck = luck;
    this.#onChange = onChange;
  }

  takes(call: ModelCall): void {
    this.requests++;
    this.open.push(call);
    // A client that leaves early pays for the output made until the provider notices.
    this.#ends.push(call.closed.then(() => this.#settle(call)));
    this.#onChange();
  }

  /** Answers the request that has waited longest. */
  answer(how: Answer): void {
    const [call] = this.open;
    if (!call) return;
    if (how === 'busy') {
      this.#forget(call);
      call.fail(503);
    } else {
      const bill = this.#settle(call);
      if (how === 'broken') call.fail(500);
      else if (how === 'cut') call.say('I thi').cut();
      else if (how === 'look' && call.body.tools) call.end([{ tool: 'list_files', args: {} }], bill);
      else call.say(how === 'nonsense' ? '{"tasks":' : this.#textFor(call)).end([], bill);
    }
  }

  /** Waits until every request has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#ends);
  }

  #textFor({ body }: ModelCall): string {
    if (!body.response_format) return 'found';
    const task = (key: string, ...after: string[]) => ({
      ...{ key, type: 'files', instruction: `do ${key} ${this.#tag}`, needs: [], after },
    });
    return JSON.stringify({ tasks: [task('a'), task('b'), task('c', 'a')], final: 'join' });
  }

  #settle(call: ModelCall): { prompt_tokens: number; completion_tokens: number } {
    const { input, output } = this.#luck();
    const prompt_tokens = Math.floor(input * (Buffer.byteLength(JSON.stringify(call.body)) + templateTokens));
    const completion_tokens = Math.floor(output * Number(call.body.max_tokens));
    if (this.#forget(call)) {
      const price = this.#prices[String(call.body.model)]!;
      this.billedUsd += (prompt_tokens * price.input + completion_tokens * price.output) / 1_000_000;
    }
    return { prompt_tokens, completion_tokens };
  }
  /** @returns false when the request was billed before. */
  #forget(call: ModelCall): boolean {
    const at = this.open.indexOf(call);
    if (at < 0) return false;
    this.open.splice(at, 1);
    this.#onChange();
    return true;
  }
}
