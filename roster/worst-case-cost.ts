/**
 * The most that one request can cost. The request itself limits its output. Its length in bytes limits the input: no tokenizer
 * makes more tokens of a text than it has bytes, and the JSON around the messages is longer than the markers of a model's
 * template. `templateTokens` allows for text that a provider's template adds, such as a preamble for tools.
 */
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { Backend } from './backend-schema.ts';
import { defaultMaxOutput, hasPrice } from './price.ts';

const templateTokens = 1_024;

/** No prompt has more tokens, whatever the tokenizer and the template. */
export const mostInputTokens = (body: ChatCompletionCreateParamsStreaming): number =>
  Buffer.byteLength(JSON.stringify(body)) + templateTokens;

/** @returns US dollars; null for a backend without a price. */
export function worstCaseUsd(
  body: ChatCompletionCreateParamsStreaming,
  { cost, context, maxOutput }: Pick<Backend, 'cost' | 'context' | 'maxOutput'>,
): number | null {
  if (cost === null || !hasPrice({ cost })) return null;
  const input = Math.min(mostInputTokens(body), context ?? Number.POSITIVE_INFINITY);
  const output = body.max_completion_tokens ?? body.max_tokens ?? maxOutput ?? defaultMaxOutput;
  return (input * cost.input + output * cost.output) / 1_000_000;
}
