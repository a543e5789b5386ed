/**
 * The most that one request can cost. The request itself limits its output. Its length in bytes limits the input: no tokenizer
 * makes more tokens of a text than it has bytes, and the JSON around the messages is longer than the markers of a model's
 * template. `templateTokens` allows for text that a provider's template adds, such as a preamble for tools. A picture counts as
 * the roster says (`pictures.tokens`), whatever its length.
 */
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { Backend, PictureLimits } from './backend-schema.ts';
import { defaultMaxOutput, hasPrice } from './price.ts';

const templateTokens = 1_024;

/** No prompt has more tokens, whatever the tokenizer and the template. */
export function mostInputTokens(body: ChatCompletionCreateParamsStreaming, { tokens }: Pick<PictureLimits, 'tokens'>): number {
  let pictures = 0;
  const words = JSON.stringify(body, (key, value) => {
    if (key !== 'image_url') return value;
    pictures++;
    return null;
  });
  return Buffer.byteLength(words) + pictures * tokens + templateTokens;
}

/** @returns US dollars; null for a backend without a price. */
export function worstCaseUsd(
  body: ChatCompletionCreateParamsStreaming,
  { cost, context, maxOutput, pictures }: Pick<Backend, 'cost' | 'context' | 'maxOutput' | 'pictures'>,
): number | null {
  if (cost === null || !hasPrice({ cost })) return null;
  const input = Math.min(mostInputTokens(body, pictures), context ?? Number.POSITIVE_INFINITY);
  const output = body.max_completion_tokens ?? body.max_tokens ?? maxOutput ?? defaultMaxOutput;
  return (input * cost.input + output * cost.output) / 1_000_000;
}
