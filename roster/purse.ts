/**
 * Who pays for requests to backends that have a price. Each single request (retries, repairs and reminders too) is covered before it goes out
 * and settled once it has ended; what a request costs that nobody answered is not known, and then counts as its worst case.
 */
import type { ModelUsage } from './conversation.ts';

export interface Purse {
  /**
   * The next request may cost so much, in US dollars. Resolves once that is set aside for good; rejects where it is not to be had, or nobody
   * wants the call any more: then the request is not sent.
   */
  reserve(worstUsd: number): Promise<void>;
  /** The request has replied, and costs this. */
  replied(usage: ModelUsage): void;
  /** It has ended without a whole reply, and costs this. */
  failed(usage: ModelUsage): void;
}

/** A request that was not sent: its purse did not pay. That says nothing of the backend. */
export class Unpaid extends Error {}

export const nothing: ModelUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** Nobody has said what it costs. */
export const inDoubt = (worstUsd: number): ModelUsage => ({ ...nothing, costUsd: worstUsd, estimatedUsd: worstUsd });
