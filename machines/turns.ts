import type { Message } from './conversation.ts';

/** Length of a message within a prompt, in characters. */
const lengthOf = (message: Message): number =>
  message.text.length + (message.role === 'assistant' && message.calls ? JSON.stringify(message.calls).length : 0);

/**
 * The last turns of a conversation that fit into `maxChars`. A turn begins with a message of the operator and is dropped as a
 * whole, so that no result is left without its call. The newest turn is kept even if it is too long.
 */
export function lastTurns(messages: readonly Message[], maxChars: number): readonly Message[] {
  let left = maxChars;
  let from = messages.length;
  for (let at = messages.length - 1; at >= 0; at--) {
    left -= lengthOf(messages[at]!);
    if (left < 0 && from < messages.length) break;
    if (messages[at]!.role === 'user' && messages[at - 1]?.role !== 'user') from = at;
  }
  return from === 0 ? messages : messages.slice(from);
}
