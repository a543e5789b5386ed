/**
 * A circuit breaker: after so many calls in a row that failed for a reason of the backend's, it is left alone for a while (`open`), then
 * one call may try (`trying`); if that goes well all may again (`closed`).
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

  /** Milliseconds until a call may be tried, 0 if one may now. */
  get restMs(): number {
    return this.state.name === 'closed' ? 0 : Math.max(0, this.state.until - this.now());
  }

  /** Whether a call may start. In `open`, the first to ask after the rest is the one that tries. */
  allow(): boolean {
    if (this.state.name === 'closed') return true;
    if (this.restMs > 0) return false;
    // Given as long again: a try that is never heard of must not close the backend for ever.
    this.state = { name: 'trying', until: this.now() + Math.max(this.limits().breakerMs, 1) };
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.state = { name: 'closed' };
  }

  /** @param retryAfterMs what the backend asked for; longer than the usual rest, it counts. */
  failed(retryAfterMs = 0): void {
    this.failures++;
    const { breakerFailures, breakerMs } = this.limits();
    // Also after a try that failed: they still are in a row.
    if (this.failures >= breakerFailures) this.state = { name: 'open', until: this.now() + Math.max(breakerMs, retryAfterMs) };
  }

  /** The call said nothing about the backend: it was given up by its caller. A try may be made again. */
  abandoned(): void {
    if (this.state.name === 'trying') this.state = { name: 'open', until: this.now() };
  }
}
