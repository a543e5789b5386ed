/**
 * A conversation in the form that the OpenAI protocol requires. The history of a steered task does not have that form, so:
 * - All system texts go into one message at the front.
 * - Every call is answered right after it: a later result is moved up, and a call without a result gets "Not run" as its result.
 * - Consecutive user messages become one, because some chat templates require alternating roles.
 */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ChatMessage, RequestedCall } from './conversation.ts';

export const interruptedMark = '[interrupted here by the operator]';
export const notRun = 'Not run: it was interrupted before it started.';

export function nativeTranscript(messages: readonly ChatMessage[]): ChatCompletionMessageParam[] {
  const result: ChatCompletionMessageParam[] = [];
  const answers = answersByCall(messages);
  const answered = new Set<string>();
  for (const message of messages) {
    if (message.role === 'user') addUser(result, message.text);
    else if (message.role === 'assistant') {
      const calls = message.calls ?? [];
      const text = spoken(message);
      if (calls.length === 0) {
        if (text) result.push({ role: 'assistant', content: text });
        continue;
      }
      result.push({
        role: 'assistant',
        content: text || null,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.tool, arguments: argumentsText(call) },
        })),
      });
      for (const { id } of calls) {
        result.push({ role: 'tool', tool_call_id: id, content: answers.get(id) ?? notRun });
        answered.add(id);
      }
    }
  }
  // The model may still need a result whose call is no longer in the conversation.
  for (const message of messages)
    if (message.role === 'tool' && !answered.has(message.call)) addUser(result, `Result of a tool:\n${message.text}`);
  const system = systemText(messages);
  return system ? [{ role: 'system', content: system }, ...result] : result;
}

export const systemText = (messages: readonly ChatMessage[]): string =>
  messages
    .filter((message) => message.role === 'system')
    .map((message) => message.text)
    .join('\n\n');

export const spoken = (message: Extract<ChatMessage, { role: 'assistant' }>): string =>
  message.unfinished && message.text ? `${message.text} ${interruptedMark}` : message.text;

export function addUser(to: ChatCompletionMessageParam[], text: string): void {
  const last = to.at(-1);
  if (last?.role === 'user' && typeof last.content === 'string') last.content = `${last.content}\n\n${text}`;
  else to.push({ role: 'user', content: text });
}

function answersByCall(messages: readonly ChatMessage[]): ReadonlyMap<string, string> {
  return new Map(messages.flatMap((message) => (message.role === 'tool' ? [[message.call, message.text] as const] : [])));
}

// Servers parse the arguments and fail on anything but an object.
const argumentsText = ({ args }: RequestedCall): string =>
  JSON.stringify(typeof args === 'object' && args !== null && !Array.isArray(args) ? args : { not_an_object: args });
