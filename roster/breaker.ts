/**
 * A circuit breaker. After `breakerFailures` calls in a row that failed because of the backend, no call may start for `breakerMs`
 * (`open`). Then one call may try (`trying`). If it succeeds, all calls may start again (`closed`).
 */
import type { CallLimits } from './schema.ts';

type State =
  | { readonly name: 'closed' }
  | { readonly name: 'open'; readonly until: number }
  | { readonly name: 'trying'; readonly until: number };

export class Breaker {
  private readonly limits: () => CallLimits;
  private readonly now: () => number;
  private state: State = { name: 'closed' };
  private failures = 0;

  constructor(limits: () => CallLimits, now: () => number) {
    this.limits = limits;
    this.now = now;
  }

  /** Milliseconds until a call may start; 0 if one may start now. */
  get restMs(): number {
    return this.state.name === 'closed' ? 0 : Math.max(0, this.state.until - this.now());
  }

  /** Whether a call may start. After the rest in `open`, the first caller gets the trial call. */
  allow(): boolean {
    if (this.state.name === 'closed') return true;
    if (this.restMs > 0) return false;
    // The trial call gets the same time: if it never reports a result, another one may start after that.
    this.state = { name: 'trying', until: this.now() + Math.max(this.limits().breakerMs, 1) };
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.state = { name: 'closed' };
  }

  /** @param retryAfterMs rest that the backend asked for, in ms. It counts if it is longer than `breakerMs`. */
  failed(retryAfterMs = 0): void {
    this.failures++;
    const { breakerFailures, breakerMs } = this.limits();
    // A failed trial call counts too: no success has interrupted the row.
    if (this.failures >= breakerFailures) this.state = { name: 'open', until: this.now() + Math.max(breakerMs, retryAfterMs) };
  }

  /** The caller gave up the call, so it says nothing about the backend. Another trial call may start. */
  abandoned(): void {
    if (this.state.name === 'trying') this.state = { name: 'open', until: this.now() };
  }
}
