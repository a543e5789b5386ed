/**
 * The waker waits here until a cursor of the task covers a message of the log, before it acks the message.
 * Rule `waker` (docs/task-protocol.md).
 */
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Channel } from '../../bus/subjects.ts';

export class CursorWaiters {
  #waiting: { channel: Channel; seq: number; covered: Promise<boolean>; resolve: (covered: boolean) => void }[] = [];

  /** Resolves true once a cursor covers the message, false if this host ends before that. */
  wait(channel: Channel, seq: number): Promise<boolean> {
    // A message is redelivered until it is acked; all its deliveries share one promise.
    const same = this.#waiting.find((it) => it.seq === seq && it.channel === channel);
    if (same) return same.covered;
    const { promise: covered, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ channel, seq, covered, resolve });
    return covered;
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
