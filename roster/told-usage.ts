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
 * Some servers use Anthropic's names.
 * @returns null unless there is a prompt of at least one token and a count of the reply. Tokens that only `total_tokens` has, as
 * the thoughts of some models, belong to the reply. A part that is larger than its whole is not in it, and is added: thoughts
 * that are counted apart, and a prompt without what was cached.
 */
export function toldTokens(usage: unknown): ToldUsage | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const told = usage as Record<string, unknown>;
  const { prompt_tokens = told.input_tokens, completion_tokens = told.output_tokens, total_tokens } = told;
  const [prompt, completion, total] = [count(prompt_tokens), count(completion_tokens), count(total_tokens)];
  if (prompt === null || prompt === 0) return null;
  const rest = total !== null && total >= prompt ? total - prompt : null;
  if (completion === null && (completion_tokens != null || rest === null)) return null;
  const thoughts = Math.max(...countsIn(usage, 'completion_tokens_details', ['reasoning_tokens']));
  const cached = Math.max(...countsIn(usage, 'prompt_tokens_details', ['cached_tokens', 'cache_read_input_tokens']));
  const withThoughts = (completion ?? 0) + (thoughts > (completion ?? 0) ? thoughts : 0);
  return { inputTokens: prompt + (cached > prompt ? cached : 0), outputTokens: Math.max(withThoughts, rest ?? 0) };
}

/** The counts of these names, in the usage itself and in its details. */
function countsIn(usage: object, details: string, names: readonly string[]): number[] {
  const places = [usage, (usage as Record<string, unknown>)[details]];
  return [0, ...places.flatMap((place) => names.map((name) => count((place as Record<string, unknown> | null)?.[name]) ?? 0))];
}

/** The cost in US dollars that the server reports (LiteLLM, OpenRouter); null where it reports none that can be one. */
export function toldCost(usage: unknown): number | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const { cost, is_byok, cost_details } = usage as Record<string, unknown>;
  const told = dollarsIn(cost);
  // With a key of the user's own, OpenRouter tells its fee alone as the cost.
  const upstream = is_byok === true ? dollarsIn((cost_details as Record<string, unknown> | null)?.upstream_inference_cost) : 0;
  return told === null ? null : told + (upstream ?? 0);
}

const dollarsIn = (value: unknown): number | null =>
  typeof value === 'number' && value >= 0 && value <= maxCostUsd ? value : null;
