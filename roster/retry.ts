import { setTimeout as delay } from 'node:timers/promises';
import { ModelError } from './errors.ts';
import type { CallLimits } from './schema.ts';

/** Codes of failures that are worth a retry here. `bad-reply` and `backend-crashed` are left to the caller. */
const passing: ReadonlySet<string> = new Set(['unreachable', 'rate-limited', 'overloaded', 'interrupted']);

/**
 * Milliseconds to wait before try number `tries + 1`, or null for no further try. The wait is exponential with full jitter. A
 * `Retry-After` is obeyed; one that is longer than `retryMostMs` ends the tries, so that another backend can be used meanwhile.
 * @param tries number of tries so far.
 * @param random returns a number from 0 up to, but not including, 1.
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
