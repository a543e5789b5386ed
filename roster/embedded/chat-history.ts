/** Converts a conversation in OpenAI's form into the history that a chat template takes. */
import type { ChatHistoryItem } from 'node-llama-cpp';
import type { Message } from './chat-request.ts';
import { answerText, callText, respaced, resultText, type ToolForm } from './tool-form.ts';

/** @param form the form in which the model uses tools; null when the call has no tools. */
export function chatHistory(messages: readonly Message[], form: Pick<ToolForm, 'prompt'> | null): ChatHistoryItem[] {
  const items: ChatHistoryItem[] = [];
  const toolOf = new Map<string, string>();
  let system = '';
  for (const message of messages) {
    switch (message.role) {
      case 'system':
      case 'developer':
        // The leading system messages open the prompt; a later one stays at its place in the conversation.
        if (items.length === 0) system += `${system && '\n\n'}${message.content}`;
        else items.push({ type: 'system', text: message.content });
        break;
      case 'user':
        items.push({ type: 'user', text: message.content });
        break;
      case 'tool':
        items.push({
          type: 'user',
          text: resultText(toolOf.get(message.tool_call_id) ?? 'tool', message.content, form !== null),
        });
        break;
      case 'assistant': {
        const said = (message.tool_calls ?? []).map((call) => {
          toolOf.set(call.id, call.function.name);
          return callText(call.function.name, call.function.arguments);
        });
        if (message.content) said.unshift(form === null ? respaced(message.content) : answerText(message.content));
        items.push({ type: 'model', response: [said.join('\n')] });
        break;
      }
    }
  }
  if (form) system += `${system && '\n\n'}${form.prompt}`;
  return [...(system ? [{ type: 'system' as const, text: system }] : []), ...items];
}
