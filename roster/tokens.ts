/** Estimates of token counts from the length of a text. Only a model's tokenizer knows the exact count. */
import type { ModelRequest } from './conversation.ts';

const charsPerToken = 4;
/** No common tokenizer packs ordinary text more densely. */
const charsPerTokenAtMost = 8;

export const estimateTokens = (text: string): number => Math.ceil(text.length / charsPerToken);

/** An estimate of the prompt's tokens: messages, tools and schema. */
export const estimatePrompt = (request: Pick<ModelRequest, 'messages' | 'tools' | 'schema'>): number =>
  Math.ceil(promptChars(request) / charsPerToken);

/** A lower bound of the prompt's tokens: if even these do not fit, the call cannot succeed. */
export const leastPrompt = (request: Pick<ModelRequest, 'messages' | 'tools' | 'schema'>): number =>
  Math.floor(promptChars(request) / charsPerTokenAtMost);

function promptChars({ messages, tools, schema }: Pick<ModelRequest, 'messages' | 'tools' | 'schema'>): number {
  let chars = 0;
  for (const message of messages) {
    chars += message.text.length;
    if (message.role === 'assistant' && message.calls) chars += JSON.stringify(message.calls).length;
  }
  if (tools) chars += JSON.stringify(tools).length;
  if (schema) chars += JSON.stringify(schema.json).length;
  return chars;
}
