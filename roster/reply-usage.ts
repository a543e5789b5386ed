/** The tokens and dollars of a reply as its server tells them; an estimate where the server tells none that are possible. */
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { Backend } from './backend-schema.ts';
import type { ModelRequest, ModelUsage } from './conversation.ts';
import { hasPrice } from './price.ts';
import { inDoubt } from './purse.ts';
import type { RawReply } from './reply-stream.ts';
import { estimatePrompt, estimateTokens } from './tokens.ts';
import { mostInputTokens } from './worst-case-cost.ts';

/** Far more characters than a tokenizer packs into a token, except of blanks and rows of one character. */
const mostCharsPerToken = 64;
/** A text of up to this many characters is too short to tell. */
const shortChars = 1_000;

/** @param worstUsd what was reserved for the request; null: nothing. */
export function usageOf(
  raw: RawReply,
  body: ChatCompletionCreateParamsStreaming,
  request: ModelRequest,
  { cost, pictures }: Pick<Backend, 'cost' | 'pictures'>,
  worstUsd: number | null,
): ModelUsage {
  const written = raw.text + raw.thoughts + raw.calls.map((call) => call.tool + call.argumentsText).join('');
  // Far too few tokens for what was said, or more than the prompt can have: the count is not of this reply.
  const said = raw.text.length + raw.calls.reduce((sum, { tool, argumentsText }) => sum + tool.length + argumentsText.length, 0);
  const fewest = said === 0 ? 0 : Math.max(1, (said - shortChars) / mostCharsPerToken);
  const isOfAnother = raw.usage && (raw.usage.outputTokens < fewest || raw.usage.inputTokens > mostInputTokens(body, pictures));
  const told = isOfAnother ? null : raw.usage;
  const { inputTokens, outputTokens } = told ?? { inputTokens: estimatePrompt(request), outputTokens: estimateTokens(written) };
  const byTokens = cost ? (inputTokens * cost.input + outputTokens * cost.output) / 1_000_000 : 0;
  // A proxy that does not know the price reports a cost of 0. No discount is this large.
  const toldUsd = raw.costUsd !== null && raw.costUsd <= byTokens / 100 && hasPrice({ cost }) ? null : raw.costUsd;
  if (worstUsd !== null && told === null && toldUsd === null) return { ...inDoubt(worstUsd), inputTokens, outputTokens };
  return { inputTokens, outputTokens, costUsd: toldUsd ?? byTokens };
}
