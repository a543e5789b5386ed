/**
 * Reads a stream in order, from a sequence on and as it grows. Its consumer lives on one server of a cluster, and the client
 * library waits for ever if that server is lost. So a lost consumer is replaced by a new one that goes on after the last message.
 */
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { onReconnect } from '../reconnections.ts';
import { retryRequest } from '../retry.ts';
import { consuming } from '../streams.ts';

/**
 * The server drops the consumer of a reader that was killed after this time in ms, instead of five minutes: it allows 1,000
 * consumers on one stream. A reader that was only frozen makes a new one.
 */
export const abandonedMs = 30_000;

/**
 * Yields each message on the subjects once, from sequence `from` on. Ends when `signal` fires or the connection is closed.
 * @param subjects may contain wildcards.
 */
export async function* follow(
  bus: Bus,
  stream: string,
  subjects: readonly string[],
  from: number,
  signal: AbortSignal,
): AsyncGenerator<JsMsg> {
  const isOver = () => signal.aborted || bus.nc.isClosed() || bus.nc.isDraining();
  for (let next = from; !isOver(); ) {
    const consumer = await retryRequest(
      bus,
      `reading ${stream}`,
      () =>
        bus.js.consumers.get(stream, {
          filter_subjects: [...subjects],
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: next,
          inactive_threshold: abandonedMs,
        }),
      signal,
    ).catch((cause) => {
      if (isOver()) return null;
      throw cause;
    });
    if (!consumer) return;
    const messages = await consumer.consume(consuming);
    const stop = () => void messages.close();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const stopWatching = whenLost(bus, messages, stop);
    try {
      for await (const message of messages) {
        next = message.seq + 1;
        yield message;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stopWatching();
      stop();
      consumer.delete().catch(() => {});
    }
  }
}

/**
 * Calls `tell` when the server that has the consumer may be lost: its idle heartbeats are missing, or the connection was lost and
 * made again.
 * @returns a function that ends the watch.
 */
export function whenLost({ nc }: Bus, messages: ConsumerMessages, tell: () => void): () => void {
  void (async () => {
    for await (const { type } of messages.status()) if (type === 'heartbeats_missed') tell();
  })();
  return onReconnect(nc, tell);
}
