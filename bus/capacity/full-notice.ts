/**
 * Tells the commands of an operator that the bus is full. A node that finds the bus full answers requests on `cox.full`. At other
 * times no node subscribes, so the server refuses a request at once. Nothing is stored for this, since a full bus stores nothing.
 */
import { NoRespondersError, type Subscription } from '@nats-io/nats-core';
import { z } from 'zod';
import { messageOf } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';

/**
 * Anybody may answer. What is wrong is one of two codes, what to do about it is in the words of whoever asks, and a name that could
 * be a sentence is left out: no text of the answer tells an operator what to run.
 */
const Notice = z.object({
  node: z
    .string()
    .regex(/^[\w.:@-]{1,64}$/)
    .catch('a node'),
  code: z.enum(['stream-full', 'storage-stuck']),
});
export type Notice = z.infer<typeof Notice>;

export class FullNotice {
  readonly #bus: Bus;
  #listening: Subscription | null = null;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @param notice null: the bus accepts writes again. */
  show(notice: Notice | null): void {
    this.#listening?.unsubscribe();
    this.#listening = null;
    const { nc, subjects } = this.#bus;
    if (!notice || nc.isClosed()) return;
    const payload = JSON.stringify(notice);
    this.#listening = nc.subscribe(subjects.full(), { callback: (_, message) => void message.respond(payload) });
  }
}

/** Only a node that hangs takes this long (ms): without a subscriber the server refuses the request at once. */
const timeoutMs = 5_000;

/**
 * Asks the nodes whether the bus is full.
 * @returns the first notice; null if no node finds the bus full, runs, or answers within 5 s.
 */
export async function fullNotice({ nc, subjects, log }: Bus): Promise<Notice | null> {
  try {
    const reply = await nc.request(subjects.full(), '', { timeout: timeoutMs });
    return Notice.safeParse(reply.json()).data ?? null;
  } catch (cause) {
    if (!(cause instanceof NoRespondersError) && !(cause instanceof Error && cause.cause instanceof NoRespondersError))
      log.debug({ err: messageOf(cause) }, 'no node answered whether the bus is full');
    return null;
  }
}
