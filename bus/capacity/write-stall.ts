/**
 * Once its disk has filled, nats-server answers requests but acknowledges no write until it is restarted (seen with 2.15.1:
 * "Critical write error"). Publishes time out as if the broker were away; its answers to other requests show that it is not.
 */
import { TimeoutError } from '@nats-io/nats-core';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';

/** Number of unanswered attempts of one write before the server is taken to be stuck. Each attempt takes 5 s. */
const unansweredWrites = 3;

export const stuckHint =
  'Its disk is full or failing. Free some space. A node restarts its embedded server; restart any other one by hand.';

export class WriteStallDetector {
  #unanswered = 0;

  /**
   * @throws CoxError `storage-stuck` when `cause` is the third timeout of a write and the server still answers other requests.
   */
  async check({ jsm, subjects }: Bus, what: string, cause: unknown): Promise<void> {
    if (!(cause instanceof TimeoutError) || ++this.#unanswered < unansweredWrites) return;
    const answers = await jsm.streams.info(subjects.logStream).then(
      () => true,
      () => false,
    );
    if (!answers) return;
    throw new CoxError('storage-stuck', `The NATS server answers but stores nothing: ${what}`, {
      hint: stuckHint,
      cause,
    });
  }
}
