import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { ack } from './ack.ts';
import type { Ticket } from './ticket.ts';

/** A delivery of a ticket. Acks go by stream sequence and not by delivery, so they decide nothing: state records do. */
export interface Delivery {
  readonly ticket: Ticket;
  /** Of the queue it waited in. */
  readonly type: string;
  /** Stream sequence of the ticket: names the run. */
  readonly seq: number;
  /** Somebody had it before, and may have come to harm by it. */
  readonly redelivered: boolean;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
  /** Still being worked on: renew the lease, please. */
  working(): void;
  /** Not confirmed: a ticket that comes again is stale, and harmless. */
  ack(): void;
  /** Hand it back, to be delivered again at once or after `delayMs`. */
  nak(delayMs?: number): void;
}

export const deliveryOf = (bus: Bus, message: JsMsg, ticket: Ticket, type: string): Delivery => ({
  ticket,
  type,
  seq: message.seq,
  redelivered: message.redelivered,
  deliveries: message.info.deliveryCount,
  working: () => message.working(),
  ack: () => ack(bus, message, 'ack'),
  nak: (delayMs) => message.nak(delayMs),
});
