/** Waits for a bus that may be away for good, so that nobody waits for it for ever (rule `receipts-end`). */
import { CoxError } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { pause } from './pause.ts';

/** Milliseconds between two looks at something for which somebody waits. */
export const lookMs = 2_000;
/** A bus that does not answer for this time in ms is taken to be away for good. */
const awayMs = 30_000;

/** @throws CoxError `bus-away` if the bus does not answer; the error of `request`. */
export function answered<T>(request: Promise<T>, withinMs = awayMs): Promise<T> {
  const late = new AbortController();
  const away = pause(withinMs, late.signal).then(() => {
    throw new CoxError('bus-away', `The bus has not answered for ${withinMs / 1_000} s`, {
      hint: 'Look at its server. What was sent is stored; `cox status` shows what became of it.',
    });
  });
  away.catch(() => {});
  return Promise.race([request, away]).finally(() => late.abort());
}

/** Resolves when `signal` fires. @throws CoxError `bus-away` once the bus does not answer; the error of a closed connection. */
export async function untilAway({ nc }: Pick<Bus, 'nc'>, signal: AbortSignal, withinMs = awayMs): Promise<void> {
  while (!signal.aborted) {
    await answered(nc.flush(), withinMs);
    await pause(lookMs, signal).catch(() => {});
  }
}
