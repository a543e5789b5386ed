/** Awaits a model's whole reply, and streams its text meanwhile. A text that was cut off gets a mark that says so. */

import { withCutMark } from '../../bus/cut-mark.ts';
import type { ModelEvent, ModelReply } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';

/**
 * @param live is called with each piece of the text as it comes.
 * @throws ModelError `bad-reply` if the stream ends without its last event. Errors of the stream are thrown unchanged.
 */
export async function wholeReply(
  backend: string,
  events: AsyncIterable<ModelEvent>,
  live: (text: string) => void,
): Promise<ModelReply> {
  for await (const event of events) {
    if (event.type === 'replied') return event.cut === undefined ? event : { ...event, text: withCutMark(event.text, event.cut) };
    live(event.text);
  }
  throw new ModelError('bad-reply', backend, 'the reply stopped before its last event');
}
