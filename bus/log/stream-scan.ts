/** Scans the messages that a stream has now, in stream order. The scan also ends if messages ahead of it are purged meanwhile. */
import type { Consumer, ConsumerMessages, JsMsg, OrderedConsumerOptions } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';
import { consuming } from '../streams.ts';
import { abandonedMs, whenLost } from './follow.ts';

/** After this long without a message (ms), ask the server whether any are pending. */
const quietMs = 500;

/**
 * Calls `take` once for each message. If a server of the cluster is lost during the scan and a key is written meanwhile, `take`
 * may be called for that key again, with its new value.
 * @throws AbortError of `signal`.
 */
export async function scanStream(
  bus: Bus,
  stream: string,
  options: Partial<OrderedConsumerOptions>,
  take: (message: JsMsg) => void,
  signal?: AbortSignal,
): Promise<void> {
  let last = 0;
  const takeNext = (message: JsMsg) => {
    if (message.seq <= last) return;
    last = message.seq;
    take(message);
  };
  while (!(await scanOnce(bus, stream, options, takeNext, signal)))
    bus.log.warn({ stream, last }, 'the server that ran a scan was lost; the scan goes on with another one');
}

/** @returns false if the server that had the consumer was lost before the end. */
async function scanOnce(
  bus: Bus,
  stream: string,
  options: Partial<OrderedConsumerOptions>,
  take: (message: JsMsg) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  const reading = { inactive_threshold: abandonedMs, ...options };
  const consumer = await retryRequest(bus, `reading ${stream}`, () => bus.js.consumers.get(stream, reading), signal);
  const drop = () => void consumer.delete().catch(() => {});
  const messages = await begun(consumer).catch((cause) => {
    drop();
    throw cause;
  });
  if (!messages) {
    drop();
    return true;
  }
  let isLost = false;
  const stopWatching = whenLost(bus, messages, () => {
    isLost = true;
    messages.stop();
  });
  let taken = 0;
  let before = -1;
  const look = setInterval(() => {
    if (taken !== before) {
      before = taken;
      return;
    }
    consumer.info().then(
      ({ num_pending }) => num_pending === 0 && messages.stop(),
      () => {},
    );
  }, quietMs);
  const stop = () => messages.stop();
  signal?.addEventListener('abort', stop);
  try {
    for await (const message of messages) {
      taken++;
      take(message);
      if (message.info.pending === 0) return true;
    }
    signal?.throwIfAborted();
    return !isLost;
  } finally {
    clearInterval(look);
    stopWatching();
    signal?.removeEventListener('abort', stop);
    await messages.close();
    drop();
  }
}

/** @returns the messages as they come; null if there are none. */
async function begun(consumer: Consumer): Promise<ConsumerMessages | null> {
  if ((await consumer.info()).num_pending === 0) return null;
  return consumer.consume({ max_messages: 1_000, ...consuming });
}
