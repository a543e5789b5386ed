/** A model's reply that is awaited as a whole, and watched as it comes. */
import type { ModelEvent, ModelReply } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';

/**
 * @param live is given each piece of the text as it comes.
 * @throws ModelError `bad-reply` where the stream ends without its last event; what the stream throws.
 */
export async function wholeReply(
  backend: string,
  events: AsyncIterable<ModelEvent>,
  live: (text: string) => void,
): Promise<ModelReply> {
  for await (const event of events) {
    if (event.type === 'replied') return event;
    live(event.text);
  }
  throw new ModelError('bad-reply', backend, 'the reply ended without an end');
}
