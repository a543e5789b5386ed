/**
 * Shortens a history that does not fit a backend's context, for that backend only; the task keeps all of it. Messages of
 * operators and the latest messages always stay. Thoughts, long replies and tool results are clipped first; then a note replaces
 * the earlier ones. Pictures are kept by name: results keep theirs, and the note names those of the results that it replaces.
 */

import type { Message } from '../../machines/conversation.ts';
import { beginningOf } from '../../platform/cut.ts';
import { estimateTokens } from '../../roster/tokens.ts';

const clippedChars = 600;
/** Number of messages at the end that stay unchanged, because the model is in the middle of them. */
const untouched = 4;

const tokensOf = (messages: readonly Message[]): number => messages.reduce((sum, message) => sum + tokensIn(message), 0);

/** A conversation grows at its end, and its messages stay the same objects. */
const known = new WeakMap<Message, number>();
function tokensIn(message: Message): number {
  const tokens = known.get(message) ?? estimateTokens(message.text + besideText(message));
  known.set(message, tokens);
  return tokens;
}

const besideText = (message: Message): string =>
  [
    ...(message.role === 'assistant' ? [message.calls, message.echo] : []),
    // Pictures that are sent have room of their own; all others are described in words that are about as long.
    ...(message.role === 'tool' ? [message.images] : []),
  ]
    .map((it) => (it ? JSON.stringify(it) : ''))
    .join('');

/** Thoughts go first: they are long, and a backend that wants them back is told in words of the calls that have lost theirs. */
function clip(message: Message): Message {
  if (message.role === 'assistant' && message.echo) {
    const { echo: _, ...bare } = message;
    return clip(bare);
  }
  if (message.role === 'user' || message.text.length <= clippedChars) return message;
  const kept = beginningOf(message.text, clippedChars);
  return { ...message, text: `${kept} [… ${message.text.length - kept.length} characters left out]` };
}

/**
 * @param budget the most tokens that the messages may take, by estimate.
 * @returns the messages, and in `done` a description of the change; null if they fit unchanged.
 */
export function compact(messages: readonly Message[], budget: number): { messages: readonly Message[]; done: string | null } {
  if (tokensOf(messages) <= budget) return { messages, done: null };
  const recent = messages.slice(-untouched);
  const older = messages.slice(0, -untouched).map(clip);
  if (tokensOf([...older, ...recent]) <= budget)
    return { messages: [...older, ...recent], done: 'earlier thoughts and tool results were clipped to fit' };
  const kept = older.filter(({ role }) => role === 'user');
  const left = older.length - kept.length;
  const note: Message = {
    role: 'user',
    text: `[${left} earlier replies and tool results were left out, because they do not fit${picturesOf(older)}]`,
  };
  const [first, ...rest] = kept;
  const shortened = [...(first ? [first] : []), note, ...rest, ...withoutOrphans(recent)];
  if (tokensOf(shortened) <= budget) return { messages: shortened, done: `${left} earlier messages were left out to fit` };
  return {
    messages: [...(first ? [first] : []), note, ...rest, ...withoutOrphans(recent).map(clip)],
    done: `${left} earlier messages were left out and the latest clipped to fit`,
  };
}

/** The latest of the pictures that are left out, by name, so that they can be looked at again. */
const mostNamed = 8;
function picturesOf(messages: readonly Message[]): string {
  const refs = messages.flatMap((message) => (message.role === 'tool' ? (message.images ?? []).map(({ ref }) => ref) : []));
  const named = [...new Set(refs)].slice(-mostNamed);
  return named.length > 0 ? `. Pictures among them: ${named.join(', ')}` : '';
}

/** Leaves out tool results whose call was left out, because a backend would refuse them. */
function withoutOrphans(messages: readonly Message[]): Message[] {
  const calls = new Set(
    messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map(({ id }) => id) : [])),
  );
  return messages.filter((message) => message.role !== 'tool' || calls.has(message.call));
}
