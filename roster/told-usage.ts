/**
 * The usage that a server reports with a reply. A server may report anything, and a report becomes money: what cannot be a count
 * of this reply is taken as not reported, and then the call counts at its estimate, or with a budget at its worst case.
 */

export interface ToldUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** No context is larger (roster/backend-schema.ts). */
const maxTokens = 100_000_000;
/** US dollars; no single reply costs more. */
const maxCostUsd = 1_000_000;

const count = (value: unknown): number | null =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maxTokens ? (value as number) : null;

/**
 * @param usage the `usage` object of the reply, as it came.
 * @returns null unless there is a prompt of at least one token and a count of the reply. Tokens that only `total_tokens` has, as
 * the thoughts of some models, belong to the reply.
 */
export function toldTokens(usage: unknown): ToldUsage | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens } = usage as Record<string, unknown>;
  const [prompt, completion, total] = [count(prompt_tokens), count(completion_tokens), count(total_tokens)];
  if (prompt === null || prompt === 0) return null;
  const rest = total !== null && total >= prompt ? total - prompt : null;
  if (completion === null && (completion_tokens != null || rest === null)) return null;
  return { inputTokens: prompt, outputTokens: Math.max(completion ?? 0, rest ?? 0) };
}

/** The cost in US dollars that the server reports (LiteLLM, OpenRouter); null where it reports none that can be one. */
export function toldCost(usage: unknown): number | null {
  const cost: unknown = typeof usage === 'object' && usage !== null && 'cost' in usage ? usage.cost : null;
  return typeof cost === 'number' && cost >= 0 && cost <= maxCostUsd ? cost : null;
}
