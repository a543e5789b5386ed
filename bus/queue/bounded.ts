/** Handles what comes from a consumer many at a time, but not all at once: the rest waits in the server. */
import { Slots } from './slots.ts';

/**
 * Resolves when `messages` ends; the last ones may still be being handled then. @throws the error of `messages`.
 * @param most messages that are handled at once.
 * @param handle must not throw.
 */
export async function handleEach<T>(
  messages: AsyncIterable<T>,
  most: number,
  handle: (message: T) => Promise<void>,
): Promise<void> {
  const places = new Slots(most);
  for await (const message of messages) {
    places.take(handle(message));
    while (places.free === 0) await places.changed();
  }
}
