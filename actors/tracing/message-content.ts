/**
 * Prompts, replies and calls as the GenAI conventions write them: JSON of messages with parts. They are recorded only where the
 * operator asks for it (OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT), without secrets of known forms.
 */
import { fitted } from '../../platform/cut.ts';
import { maskSecrets } from '../../platform/redact.ts';
import type { ChatMessage, ModelReply, RequestedCall } from '../../roster/conversation.ts';

/** The longest content of an attribute, in characters. */
const maxChars = 65_536;

export const contentOf = (value: unknown): string =>
  fitted(maskSecrets(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')), maxChars);

const textPart = (content: string) => ({ type: 'text', content });
const callPart = ({ id, tool, args }: RequestedCall) => ({ type: 'tool_call', id, name: tool, arguments: args });

export const inputMessages = (messages: readonly ChatMessage[]): string =>
  contentOf(
    messages.map((message) => {
      if (message.role === 'tool')
        return { role: 'tool', parts: [{ type: 'tool_call_response', id: message.call, response: message.text }] };
      const calls = message.role === 'assistant' ? (message.calls ?? []) : [];
      return { role: message.role, parts: [...(message.text ? [textPart(message.text)] : []), ...calls.map(callPart)] };
    }),
  );

export const outputMessages = ({ text, calls, finish }: ModelReply): string =>
  contentOf([
    {
      role: 'assistant',
      parts: [...(text ? [textPart(text)] : []), ...calls.map(callPart)],
      finish_reason: finish === 'tools' ? 'tool_call' : finish,
    },
  ]);
