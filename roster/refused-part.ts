/**
 * The part of the protocol that a refusal is about, by the parameter that the server names, or by its words. Servers and proxies
 * refuse with any status, and write the word `None` where they name no parameter (LiteLLM).
 */

/** `messages`: the history of this one request. `other`: something that no dialect leaves out. */
export type Part = 'tools' | 'structured' | 'outputField' | 'temperature' | 'streamOptions' | 'thoughts' | 'messages' | 'other';

export interface RefusedPart {
  /** null: the server told nothing about it. */
  readonly part: Part | null;
  /**
   * The server says that it lacks the part, and not just that this one request was wrong. For `thoughts`: that it does not take
   * them; otherwise it wants them.
   */
  readonly isLacking: boolean;
}

const noName: ReadonlySet<string> = new Set(['', 'none', 'null', 'undefined', 'nil', 'unknown', 'n/a', 'body']);

const byParam: readonly (readonly [RegExp, Part])[] = [
  [/^(response_format|text\.format)/, 'structured'],
  [/^(tools|tool_choice|functions?|function_call|parallel_tool_calls)\b/, 'tools'],
  [/^(max_tokens|max_completion_tokens)$/, 'outputField'],
  [/^temperature$/, 'temperature'],
  [/^stream_options/, 'streamOptions'],
  [/^messages\b.*(reasoning|thinking|thought)/, 'thoughts'],
  [/^messages/, 'messages'],
];
/** The first that fits counts: what is said of messages often has words of the other parts. */
const byWords: readonly (readonly [RegExp, Part])[] = [
  [/invalid ['"`]?(thought_?)?signature/i, 'messages'],
  [
    /reasoning[_ ](content|details|opaque|text)|['"`]reasoning['"`]|thought_?signature|thinking_?(content|blocks?)|['"`](redacted_)?thinking['"`]/i,
    'thoughts',
  ],
  [
    /\bprefill|must alternate|\broles? must|content blocks?|tool_call_id|tool_use|tool_result|tool_calls?['"`]?\s+must|must be (followed|a response)|thinking|messages?[.[]\d|messages?:|non-?whitespace|empty (content|text)/i,
    'messages',
  ],
  [/response_format|json_?schema|json mode|structured[ _]output|guided[ _]/i, 'structured'],
  [/\bmax_tokens\b|\bmax_completion_tokens\b/, 'outputField'],
  [/\bstream_options\b/, 'streamOptions'],
  [/\btemperature\b/, 'temperature'],
  [/\btools?\b|tool[-_ ](choice|use|call)|function[-_ ]?call/i, 'tools'],
];
const lackWords =
  /support|requires?\b|\benable|unknown|unrecogni[sz]ed|unexpected|extra|not (permitted|allowed|implemented|available)|\buse ['"`]?max_/i;

/** The server asks for thoughts. Words of `lackWords` may stand beside these: “required when thinking is enabled”. */
const wantWords = /must (be|start|have|contain|include)|missing|required|\bexpected|passed? back|\bneeds?\b/i;
const lacks = (part: Part, words: string): boolean => lackWords.test(words) && !(part === 'thoughts' && wantWords.test(words));

export function refusedPart(error: unknown): RefusedPart {
  const param = typeof error === 'object' && error !== null && 'param' in error ? error.param : null;
  const words = error instanceof Error ? error.message : String(error);
  if (typeof param === 'string' && !noName.has(param.trim().toLowerCase())) {
    const name = param.trim();
    const part = byParam.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
    // `tools[3].function.parameters` is about one tool, `tools` about tools.
    return { part, isLacking: (part !== 'thoughts' && !/[.[]/.test(name)) || lacks(part, words) };
  }
  const part = byWords.find(([pattern]) => pattern.test(words))?.[1] ?? null;
  return { part, isLacking: part !== null && part !== 'messages' && lacks(part, words) };
}

/** Statuses with which no server says that it lacks a part of the protocol. */
const aboutTheCaller: ReadonlySet<number> = new Set([401, 402, 403, 408, 413, 429]);

/**
 * True for a refusal whose words name a part that the server lacks, or the thoughts that it wants, whatever its status: llama.cpp
 * says so with 500, OpenRouter with 404.
 */
export function saysItLacks(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || aboutTheCaller.has(status)) return false;
  const { part, isLacking } = refusedPart(error);
  return part === 'thoughts' || (isLacking && part !== null && part !== 'other');
}
