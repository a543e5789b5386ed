/**
 * Pays for the model calls of a task out of its budget (rule `escrow`). The chart is told the worst-case cost of each request.
 * Either it reserves that amount, which is durable before the request goes out, or it leaves the state, which aborts the call.
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
  /**
   * The bill of a request that has replied. The chart is told it with the reply, or by `settle` if the request led to no reply.
   */
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

  /** Tells the chart the last bill, because the call has failed or needs another request. */
  settle(): void {
    const usage = this.#untold;
    this.#untold = null;
    if (usage) this.#say({ type: 'CALL_BILLED', backend: this.#backend, usage });
  }
  /**
   * The usage to report with the reply: that of the last request, since earlier ones are settled; `reported` for a backend
   * without a price.
   */
  bill(reported: ModelUsage): ModelUsage {
    const usage = this.#untold ?? reported;
    this.#untold = null;
    return usage;
  }
}

/** Makes a call. If it fails, the chart is told the bill of the last request before the failure. */
export async function metered<T>(meter: Meter, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    meter.settle();
    throw cause;
  }
}
