/**
 * Pays for the model calls of a task out of its budget (PROTOCOL line 17): the chart is told the worst case of each request and either keeps
 * it in reserve, which is durable before the request goes out, or leaves the state that the call is for.
 */
import type { Billing } from '../../machines/budget.ts';
import type { ModelUsage } from '../../roster/conversation.ts';
import type { Purse } from '../../roster/purse.ts';
import type { EffectHost } from './role.ts';

export class Meter implements Purse {
  readonly #host: EffectHost;
  readonly #backend: string;
  readonly #say: (fact: Billing) => void;
  readonly #signal: AbortSignal;
  /** Of a request that has replied: told with the reply, or as soon as it is seen that none comes of it. */
  #untold: ModelUsage | null = null;

  /** @param signal fires when the chart leaves the state. */
  constructor(host: EffectHost, backend: string, say: (fact: Billing) => void, signal: AbortSignal) {
    this.#host = host;
    this.#backend = backend;
    this.#say = say;
    this.#signal = signal;
  }

  async reserve(worstUsd: number): Promise<void> {
    this.settle();
    this.#say({ type: 'CALL_PRICED', backend: this.#backend, worstUsd });
    this.#signal.throwIfAborted();
    await this.#host.committed(this.#signal);
  }
  replied(usage: ModelUsage): void {
    this.#untold = usage;
  }
  failed(usage: ModelUsage): void {
    this.#untold = usage;
    this.settle();
  }

  /** The call has come to nothing, or needs another request. */
  settle(): void {
    const usage = this.#untold;
    this.#untold = null;
    if (usage) this.#say({ type: 'CALL_BILLED', backend: this.#backend, usage });
  }
  /** What the reply is to say that it has cost: the last request, since those before it are settled; where there is no price, `reported`. */
  bill(reported: ModelUsage): ModelUsage {
    const usage = this.#untold ?? reported;
    this.#untold = null;
    return usage;
  }
}

/** What a call says is told first when it fails: the bill of its last request. */
export async function metered<T>(meter: Meter, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    meter.settle();
    throw cause;
  }
}
