/** A conversation in the form of the OpenAI protocol, with native tool calls. */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ChatMessage } from './conversation.ts';
import { systemText, turnsOf } from './history.ts';

export function nativeTranscript(messages: readonly ChatMessage[]): ChatCompletionMessageParam[] {
  const system = systemText(messages);
  const result: ChatCompletionMessageParam[] = system ? [{ role: 'system', content: system }] : [];
  for (const turn of turnsOf(messages)) {
    if (turn.role === 'user') result.push({ role: 'user', content: turn.text });
    else if (turn.calls.length === 0) result.push({ role: 'assistant', content: turn.text });
    else {
      result.push({
        role: 'assistant',
        content: turn.text || null,
        tool_calls: turn.calls.map(({ id, tool, args }) => ({
          id,
          type: 'function',
          function: { name: tool, arguments: JSON.stringify(args) },
        })),
      });
      for (const { id, result: content } of turn.calls) result.push({ role: 'tool', tool_call_id: id, content });
    }
  }
  return result;
}

/** Adds to the user's last message, or a new one: some chat templates require alternating roles. */
export function addUser(to: ChatCompletionMessageParam[], text: string): void {
  const last = to.at(-1);
  if (last?.role === 'user' && typeof last.content === 'string') last.content = `${last.content}\n\n${text}`;
  else to.push({ role: 'user', content: text });
}
