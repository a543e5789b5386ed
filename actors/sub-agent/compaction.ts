/**
 * A history that does not fit a backend's context is made smaller for that backend; the task itself keeps all of it. What operators said and
 * the latest turns always stay; tool results are clipped first, then the oldest turns give way to a note.
 */
import type { Message } from '../../machines/conversation.ts';
import { estimateTokens } from '../../roster/tokens.ts';

const clippedChars = 600;
/** Turns at the end that are left as they are: what the model is in the middle of. */
const untouched = 4;

const tokensOf = (messages: readonly Message[]): number =>
  messages.reduce(
    (sum, message) =>
      sum + estimateTokens(message.text + (message.role === 'assistant' && message.calls ? JSON.stringify(message.calls) : '')),
    0,
  );

const clip = (message: Message): Message =>
  message.role !== 'user' && message.text.length > clippedChars
    ? { ...message, text: `${message.text.slice(0, clippedChars)} [… ${message.text.length - clippedChars} characters left out]` }
    : message;

/**
 * @param budget tokens the messages may take, by estimate.
 * @returns the messages, and what was done to them in words; null where they fit as they are.
 */
export function compact(messages: readonly Message[], budget: number): { messages: readonly Message[]; done: string | null } {
  if (tokensOf(messages) <= budget) return { messages, done: null };
  const recent = messages.slice(-untouched);
  const older = messages.slice(0, -untouched).map(clip);
  if (tokensOf([...older, ...recent]) <= budget)
    return { messages: [...older, ...recent], done: 'earlier tool results were clipped to fit' };
  const kept = older.filter(({ role }) => role === 'user');
  const left = older.length - kept.length;
  const note: Message = {
    role: 'user',
    text: `[${left} earlier replies and tool results were left out, because they do not fit]`,
  };
  const [first, ...rest] = kept;
  const shortened = [...(first ? [first] : []), note, ...rest, ...withoutOrphans(recent)];
  if (tokensOf(shortened) <= budget) return { messages: shortened, done: `${left} earlier turns were left out to fit` };
  return {
    messages: [...(first ? [first] : []), note, ...rest, ...withoutOrphans(recent).map(clip)],
    done: `${left} earlier turns were left out and the latest clipped to fit`,
  };
}

/** A tool result whose call was left out would be refused by a backend. */
function withoutOrphans(messages: readonly Message[]): Message[] {
  const calls = new Set(
    messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map(({ id }) => id) : [])),
  );
  return messages.filter((message) => message.role !== 'tool' || calls.has(message.call));
}
