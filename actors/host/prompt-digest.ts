/**
 * The digests of the parts of a request: the prompt of the kind, the notes of the workspace, the tools, and the conversation. A
 * status has them, so that a replay can tell whether it has built the same request, and if not, which part has changed.
 */
import { createHash } from 'node:crypto';
import type { ChatMessage, ModelRequest } from '../../roster/conversation.ts';

/** Hex digits of each part: enough to tell two versions of one prompt apart. */
const digits = 10;
const sha = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, digits);

/** @param notes the text of the notes of the workspace, which stand after the prompt; empty: there are none. */
export function digestOf({ messages, tools = [], toolChoice, schema }: ModelRequest, notes = ''): string {
  const [system, ...rest] = messages;
  const hasSystem = system?.role === 'system';
  const after = hasSystem ? rest : messages;
  const hasNotes = notes !== '' && after[0]?.role === 'user' && after[0].text === notes;
  const told = hasNotes ? after.slice(1) : after;
  return [
    sha(hasSystem ? system.text : ''),
    sha(hasNotes ? notes : ''),
    sha(JSON.stringify([tools, toolChoice, schema])),
    sha(told.map(shaOf).join()),
  ].join('.');
}

/** A conversation grows at its end, and its messages stay the same objects. */
const known = new WeakMap<ChatMessage, string>();
function shaOf(message: ChatMessage): string {
  const sum = known.get(message) ?? sha(JSON.stringify(withoutData(message)));
  known.set(message, sum);
  return sum;
}

/** A picture is made of its artifact, whose name it has: the bytes need not be read again. */
const withoutData = (message: ChatMessage): ChatMessage =>
  message.role === 'tool' && message.images
    ? {
        ...message,
        images: message.images.map(({ data, ...picture }) => (data === undefined ? picture : { ...picture, data: '' })),
      }
    : message;
