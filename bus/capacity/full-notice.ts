/**
 * How an operator's command learns that the bus is full: a node that finds no room listens on `cox.full`, and only then, so that a question
 * there is refused at once when all is well. Nothing is stored for it, because nothing can be.
 */
import { NoRespondersError, type Subscription } from '@nats-io/nats-core';
import { z } from 'zod';
import { messageOf } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';

const Notice = z.object({ node: z.string(), code: z.string(), message: z.string(), hint: z.string() });
export type Notice = z.infer<typeof Notice>;

export class FullNotice {
  readonly #bus: Bus;
  #listening: Subscription | null = null;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @param notice null: there is room. */
  show(notice: Notice | null): void {
    this.#listening?.unsubscribe();
    this.#listening = null;
    const { nc, subjects } = this.#bus;
    if (!notice || nc.isClosed()) return;
    const payload = JSON.stringify(notice);
    this.#listening = nc.subscribe(subjects.full(), { callback: (_, message) => void message.respond(payload) });
  }
}

/** Only a node that is frozen, or as good as that, needs so long: where none listens the server says so at once. */
const timeoutMs = 5_000;

/** What one of the nodes says that finds no room; null where none does, or nobody works. */
export async function fullNotice({ nc, subjects, log }: Bus): Promise<Notice | null> {
  try {
    const reply = await nc.request(subjects.full(), '', { timeout: timeoutMs });
    return Notice.safeParse(reply.json()).data ?? null;
  } catch (cause) {
    if (!(cause instanceof NoRespondersError) && !(cause instanceof Error && cause.cause instanceof NoRespondersError))
      log.debug({ err: messageOf(cause) }, 'no answer whether the bus is full');
    return null;
  }
}
