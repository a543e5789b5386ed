/** One pass over what a stream holds now, in its order. It ends although messages it was to bring are purged meanwhile. */
import type { JsMsg, OrderedConsumerOptions } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';
import { consuming } from '../streams.ts';
import { whenLost } from './follow.ts';

/** So long nothing may come before the server is asked whether anything still will. */
const quietMs = 500;

/**
 * Each message once, as `take` is told of it; one that was written anew while a server of a cluster was lost, perhaps once more as it is then.
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
    bus.log.warn({ stream, last }, 'the server that was reading a stream to us is gone, another one is asked');
}

/** @returns false where the server that had the consumer was lost on the way. */
async function scanOnce(
  bus: Bus,
  stream: string,
  options: Partial<OrderedConsumerOptions>,
  take: (message: JsMsg) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  const consumer = await retryRequest(bus, `reading ${stream}`, () => bus.js.consumers.get(stream, options), signal);
  // Left behind it would stay for five minutes, and the server takes a thousand on one stream.
  const drop = () => void consumer.delete().catch(() => {});
  if ((await consumer.info()).num_pending === 0) {
    drop();
    return true;
  }
  const messages = await consumer.consume({ max_messages: 1_000, ...consuming });
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

/**
 * What a message takes up in the server's file store: its frame, subject, headers and payload. Of a pass over the heads alone the payload's
 * size comes as a header.
 */
export function storedBytes({ subject, headers, data }: JsMsg): number {
  const sizeOnly = headers?.get('Nats-Msg-Size');
  const names = (headers?.keys() ?? []).filter((name) => name !== 'Nats-Msg-Size');
  const line = (name: string, value: string) => name.length + value.length + ': \r\n'.length;
  const lines = names.flatMap((name) => headers!.values(name).map((value) => line(name, value)));
  const head = lines.length === 0 ? 0 : 4 + 'NATS/1.0\r\n\r\n'.length + lines.reduce((sum, bytes) => sum + bytes, 0);
  return frameBytes + Buffer.byteLength(subject) + head + (sizeOnly ? Number(sizeOnly) : data.length);
}

/** Sequence, time, lengths and checksum. */
const frameBytes = 30;
