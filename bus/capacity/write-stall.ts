/**
 * A nats-server whose disk was full once answers questions, and no write any more: publishes time out, for good, until it is restarted
 * (seen with 2.15.1: "Critical write error"). From outside that looks like a broker that is away, but for the answers.
 */
import { TimeoutError } from '@nats-io/nats-core';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';

/** So often in a row a write must stay without an answer; each takes 5 s. */
const unansweredWrites = 3;

export class WriteStallDetector {
  #unanswered = 0;

  /** @throws CoxError `storage-stuck` when `cause` is one silence too many, and the server answers otherwise. */
  async check({ jsm, subjects }: Bus, what: string, cause: unknown): Promise<void> {
    if (!(cause instanceof TimeoutError) || ++this.#unanswered < unansweredWrites) return;
    const answers = await jsm.streams.info(subjects.logStream).then(
      () => true,
      () => false,
    );
    if (!answers) return;
    throw new CoxError('storage-stuck', `The NATS server answers and stores nothing: ${what}`, {
      hint: 'Its disk is full or failing. Free some space; then the embedded server is restarted by its node, another one must be by hand.',
      cause,
    });
  }
}
