/**
 * The task queue. A ticket asks for one run of a task (rules `claim`, `wake`). The workers of a type share two durable pull
 * consumers, one for new work and one for wakes. Wakes have slots of their own, so a parked task does not wait behind new work.
 */
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { Bus } from '../bus.ts';
import { pause } from '../pause.ts';
import { type Published, publish } from '../publish.ts';
import { retryRequest } from '../retry.ts';
import { readState } from '../state/state-store.ts';
import { ensureTicketConsumer, heartbeatMs } from '../streams.ts';
import type { Queue } from '../subjects.ts';
import { traceHeader } from '../trace-context.ts';
import { buryTicket } from './dead-letter-stream.ts';
import { type Delivery, deliveryOf } from './delivery.ts';
import { Slots } from './slots.ts';
import { parseTicket, type Ticket, ticketText } from './ticket.ts';

/**
 * Publishes a ticket. The message id spares the stream the usual repetition, and the claim makes every repetition harmless. A
 * stranger may have used the id before. So if the server reports a duplicate, the ticket must be in the queue or its run must
 * have begun; otherwise the ticket is published again without an id.
 */
export async function enqueue(bus: Bus, type: string, queue: Queue, ticket: Ticket, signal?: AbortSignal): Promise<Published> {
  const subject = bus.subjects.ticket(type, queue);
  const payload = ticketText(ticket);
  const options = { ordered: false, ...traced(bus, ticket) };
  const sent = await publish(bus, subject, payload, { ...options, msgID: `${ticket.id}:t${ticket.run}` }, signal);
  if (!sent.ok || !sent.duplicate || (await isKnown(bus, sent.seq, ticket))) return sent;
  return publish(bus, subject, payload, options, signal);
}

function traced({ traceparent }: Bus, { id }: Ticket): { headers?: MsgHdrs } {
  if (!traceparent) return {};
  const head = headers();
  head.set(traceHeader, traceparent(id));
  return { headers: head };
}

async function isKnown(bus: Bus, seq: number, { id, run }: Ticket): Promise<boolean> {
  const { workStream } = bus.subjects;
  const message = await retryRequest(bus, workStream, () => bus.jsm.streams.getMessage(workStream, { seq }));
  const there = message && parseTicket(message.data);
  if (there?.id === id && there.run === run) return true;
  const stored = await readState(bus, id);
  return stored !== null && stored.record.run >= run;
}

export interface Claimer {
  /** Stops pulling tickets. The tickets that are being handled go on. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Pulls tickets of one type from one queue, never more than there are free slots, so that no ticket waits in a worker that cannot
 * start it.
 * @param handle occupies a slot until its promise resolves or rejects.
 */
export async function claimTickets(
  bus: Bus,
  options: { type: string; queue: Queue; slots: number; leaseMs: number },
  handle: (delivery: Delivery) => Promise<void>,
): Promise<Claimer> {
  const { type, queue, slots, leaseMs } = options;
  const consumer = await bus.js.consumers.get(bus.subjects.workStream, await ensureTicketConsumer(bus, type, queue, leaseMs));
  // The server goes on delivering tickets to a worker that is frozen, until its pull request expires. That takes about a lease.
  const expires = Math.min(Math.max(1_000, leaseMs), 30_000);
  const asking = { expires, idle_heartbeat: Math.min(heartbeatMs, expires / 2) };
  const stopping = new AbortController();
  const places = new Slots(slots);
  let pulling: ConsumerMessages | null = null;

  const take = (message: JsMsg) => {
    const ticket = parseTicket(message.data);
    if (!ticket) {
      void buryTicket(bus, message);
      return;
    }
    places.take(
      handle(deliveryOf(bus, message, ticket, type)).catch((err) => {
        bus.log.error({ err, id: ticket.id }, 'handling a ticket failed');
      }),
    );
  };

  const loop = async () => {
    while (!stopping.signal.aborted) {
      if (places.free === 0) {
        await places.changed();
        continue;
      }
      try {
        pulling = await consumer.fetch({ max_messages: places.free, ...asking });
        if (stopping.signal.aborted) pulling.stop();
        for await (const message of pulling) take(message);
      } catch (err) {
        if (bus.nc.isClosed()) return;
        bus.log.warn({ err, type, queue }, 'pulling tickets failed, trying again');
        await pause(250, stopping.signal).catch(() => {});
      } finally {
        pulling = null;
      }
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopping.abort();
      pulling?.stop();
      places.wake();
      await running;
    },
  };
}
