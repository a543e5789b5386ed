/** One pass over what a stream holds now, in its order. It ends although messages it was to bring are purged meanwhile. */
import type { JsMsg, OrderedConsumerOptions } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';

/** So long nothing may come before the server is asked whether anything still will. */
const quietMs = 500;

export async function passOver(
  { js }: Bus,
  stream: string,
  options: Partial<OrderedConsumerOptions>,
  take: (message: JsMsg) => void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const consumer = await js.consumers.get(stream, options);
  if ((await consumer.info()).num_pending === 0) return;
  const messages = await consumer.consume({ max_messages: 1_000 });
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
      if (message.info.pending === 0) break;
    }
    signal?.throwIfAborted();
  } finally {
    clearInterval(look);
    signal?.removeEventListener('abort', stop);
    await messages.close();
  }
}
