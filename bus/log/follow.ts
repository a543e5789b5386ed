/**
 * Reads a stream in its order, from a sequence on and as it grows. The consumer that this takes lives on one server of a cluster, and the
 * client library waits for it for ever when that server is lost: here another one goes on behind the last message.
 */
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { onReconnect } from '../reconnections.ts';
import { retryRequest } from '../retry.ts';
import { consuming } from '../streams.ts';

/**
 * Each message on the subjects once, from sequence `from` on. Ends when `signal` fires or the connection is closed.
 * @param subjects may have wildcards.
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
    const consumer = await retryRequest(bus, `reading ${stream}`, () =>
      bus.js.consumers.get(stream, {
        filter_subjects: [...subjects],
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: next,
      }),
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
      // Left behind it would stay for five minutes, and the server takes a thousand on one stream.
      consumer.delete().catch(() => {});
    }
  }
}

/**
 * Tells that the server which had the consumer may be gone: its heartbeats stay out, or the connection was to it, and is to another now.
 * @returns ends that.
 */
export function whenLost({ nc }: Bus, messages: ConsumerMessages, tell: () => void): () => void {
  void (async () => {
    for await (const { type } of messages.status()) if (type === 'heartbeats_missed') tell();
  })();
  return onReconnect(nc, tell);
}
