/**
 * A purse pays for requests to backends that have a price. The money for every single request (also for retries, repairs and
 * reminders) is reserved before it is sent and settled once it has ended. A request without a reply counts at its worst case,
 * because its cost is unknown.
 * Rule `escrow` (docs/task-protocol.md).
 */
import type { ModelUsage } from './conversation.ts';

export interface Purse {
  /**
   * Reserves money for the next request. Resolves once the reservation is committed. Rejects if there is not enough money or the
   * call is no longer wanted; then the request is not sent.
   * @param worstUsd the worst case of the request, in US dollars.
   */
  reserve(worstUsd: number): Promise<void>;
  /** The request got a complete reply and has this cost. */
  replied(usage: ModelUsage): void;
  /** The request ended without a complete reply and has this cost. */
  failed(usage: ModelUsage): void;
}

/** A request was not sent because its purse did not pay. This says nothing about the backend. */
export class Unpaid extends Error {}

export const nothing: ModelUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** The usage of a request whose cost is unknown: it counts at its worst case. */
export const inDoubt = (worstUsd: number): ModelUsage => ({ ...nothing, costUsd: worstUsd, estimatedUsd: worstUsd });
