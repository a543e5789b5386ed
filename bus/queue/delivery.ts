import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { traceHeader } from '../trace-context.ts';
import { ack } from './ack.ts';
import type { Ticket } from './ticket.ts';

/** When the queue stored a ticket, in ms since 1970, and the trace context that it carries. */
export interface Sent {
  readonly at: number;
  readonly traceparent: string | undefined;
}

/** One delivery of a ticket. An ack goes by stream sequence and not by delivery, so it decides nothing; the state record does. */
export interface Delivery {
  readonly ticket: Ticket;
  /** Task type of the queue that the ticket was in. */
  readonly type: string;
  /** Stream sequence of the ticket. It tells two copies of a ticket apart. */
  readonly seq: number;
  /** Whether a worker had the ticket before. That worker may have crashed while it ran the task. */
  readonly redelivered: boolean;
  /** Number of deliveries so far, this one included. */
  readonly deliveries: number;
  /** Read only where the task is observed. */
  sent(): Sent;
  /** Renews the lease. */
  working(): void;
  /** Acks the ticket, without confirmation: a ticket that comes again is found stale, which is harmless. */
  ack(): void;
  /** Requeues the ticket. It is delivered again at once, or after `delayMs`. */
  nak(delayMs?: number): void;
}

export const deliveryOf = (bus: Bus, message: JsMsg, ticket: Ticket, type: string): Delivery => ({
  ticket,
  type,
  seq: message.seq,
  redelivered: message.redelivered,
  deliveries: message.info.deliveryCount,
  sent: () => ({ at: message.time.getTime(), traceparent: message.headers?.get(traceHeader) }),
  working: () => message.working(),
  ack: () => ack(bus, message, 'ack'),
  nak: (delayMs) => message.nak(delayMs),
});
