import { setTimeout as delay } from 'node:timers/promises';
import { ModelError } from './errors.ts';
import type { CallLimits } from './schema.ts';

/** Worth another try at once. Not `bad-reply` or `backend-crashed`: those are for whoever made the call to decide. */
const passing: ReadonlySet<string> = new Set(['unreachable', 'rate-limited', 'overloaded', 'interrupted']);

/**
 * How long to wait before try number `tries + 1`, or null for no further try. Exponential with full jitter; a `Retry-After` is kept to, and
 * one that is longer than the longest wait ends the tries, so that another backend can be used meanwhile.
 * @param tries made so far. @param random from 0 up to 1.
 */
export function waitBeforeRetry(error: unknown, tries: number, limits: CallLimits, random: () => number): number | null {
  if (!(error instanceof ModelError) || !passing.has(error.code) || tries > limits.retries) return null;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs <= limits.retryMostMs ? error.retryAfterMs : null;
  return Math.min(limits.retryMostMs, limits.retryFirstMs * 2 ** (tries - 1)) * random();
}

/** @throws the signal's reason. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
