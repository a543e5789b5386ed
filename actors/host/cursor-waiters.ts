/** Who waits until the state covers a message of the log: the waker, before it acks. */
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Channel } from '../../bus/subjects.ts';

export class CursorWaiters {
  #waiting: { channel: Channel; seq: number; passed: Promise<boolean>; resolve: (passed: boolean) => void }[] = [];

  /** Resolves true once it is covered, false when that will not be here. */
  wait(channel: Channel, seq: number): Promise<boolean> {
    // A message that nobody acks is delivered again and again.
    const same = this.#waiting.find((it) => it.seq === seq && it.channel === channel);
    if (same) return same.passed;
    const { promise: passed, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ channel, seq, passed, resolve });
    return passed;
  }

  covered(record: StateRecord): void {
    this.#waiting = this.#waiting.filter(({ channel, seq, resolve }) => {
      if (!covers(record, channel, seq)) return true;
      resolve(true);
      return false;
    });
  }

  end(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(false);
  }
}

export const covers = ({ resultCursor, steeringCursor }: StateRecord, channel: Channel, seq: number): boolean =>
  (channel === 'result' ? resultCursor : steeringCursor) >= seq;
