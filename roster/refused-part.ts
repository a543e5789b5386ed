/**
 * The part of the protocol that a refusal is about, by the parameter that the server names, or by its words. Servers and proxies
 * refuse with any status, and write the word `None` where they name no parameter (LiteLLM).
 */
import { wordsOfError } from './told-error.ts';

/** `messages`: the history of this one request. `other`: something that no dialect leaves out. */
export type Part =
  | 'tools'
  | 'structured'
  | 'outputField'
  | 'temperature'
  | 'streamOptions'
  | 'stream'
  | 'system'
  | 'thoughts'
  | 'pictures'
  | 'messages'
  | 'other';

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
  [/^stream$/, 'stream'],
  [/^messages\b.*(reasoning|thinking|thought)/, 'thoughts'],
  [/^messages\b.*image|^images?\b/, 'pictures'],
  [/^messages/, 'messages'],
];
const systemRole =
  /system (role|message)s? (is |are )?(not|un)|role.{0,20}['"`](system|developer)['"`]|unsupported (message )?role:? ['"`]?(system|developer)|['"`]system['"`] role|only user and assistant roles|(developer|system) (instructions?|prompts?) (is|are) not (enabled|supported)/i;
/** Servers that know no pictures speak of the part that they do not know, or say that a content must be a text. */
const pictures =
  /\bimages?\b|image_url|\bvision\b|multi-?modal|content['"`]?\]?[^.]{0,40} (must|should) be (a |of type )?(valid )?string/i;
/** The first that fits counts: what is said of messages often has words of the other parts. */
const byWords: readonly (readonly [RegExp, Part])[] = [
  [systemRole, 'system'],
  [/^['"`]?temperature['"`]? (may|must|can|is|does)\b/i, 'temperature'],
  [pictures, 'pictures'],
  [/invalid ['"`]?(thought_?)?signature/i, 'messages'],
  [
    /reasoning[_ ](content|details|opaque|text)|['"`]reasoning['"`]|thought_?signature|thinking_?(content|blocks?)|['"`](redacted_)?thinking['"`]/i,
    'thoughts',
  ],
  [
    /\bprefill|must alternate|function (call|response) (turn|part)|(number of|same).{0,20}function calls|tool call ids?\b|content blocks?|tool_call_id|tool_use|tool_result|tool_calls?['"`]?\s+must|must be (followed|a response)|\broles?\b|thinking|messages?[.[]\d|messages?:|['"]body['"], ?['"]messages|non-?whitespace|empty (content|text)/i,
    'messages',
  ],
  [/response_format|json_?schema|json mode|structured[ _]output|guided[ _]|grammar|response_?schema/i, 'structured'],
  [/\bmax_tokens\b|\bmax_completion_tokens\b/, 'outputField'],
  [/\bstream_options\b/, 'streamOptions'],
  [/to stream\b|\bstreaming\b|['"`]stream['"`]/i, 'stream'],
  [/\btemperature\b/, 'temperature'],
  [/\btools?\b|tool[-_ ](choice|use|call)|function[-_ ]?call/i, 'tools'],
];
const lackWords =
  /support|requires?\b|\benable|unknown|unrecogni[sz]ed|unexpected|extra|not (permitted|allowed|implemented|available)|should be ['"`]|\buse ['"`]?max_/i;

/** The server asks for thoughts. Weaker words of `lackWords` may stand beside these: “required when thinking is enabled”. */
const wantWords = /must (be|start|have|contain|include)|missing|required|\bexpected|passed? back|\bneeds?\b/i;
const refusal = /unsupported|not (be )?(supported|permitted|allowed|included)|must not|extra|unknown|unrecogni[sz]ed|unexpected/i;
/** The server takes pictures, and not this one. */
const onePicture =
  /format|media[_ ]?type|mime|\bsizes?\b|dimension|too (large|big|many|small)|pixel|corrupt|decod|process|invalid image|base64|download/i;
const mustBeText = /(must|should) be (a |of type )?(valid )?string/i;

function lacks(part: Part, words: string): boolean {
  if (part === 'pictures') return mustBeText.test(words) || (lackWords.test(words) && !onePicture.test(words));
  if (part === 'thoughts') return refusal.test(words) || (lackWords.test(words) && !wantWords.test(words));
  return lackWords.test(words);
}

/** @param error of the package `openai`, or a ToldError. */
export function refusedPart(error: unknown): RefusedPart {
  const param = typeof error === 'object' && error !== null && 'param' in error ? error.param : null;
  const words = wordsOfError(error);
  const name = typeof param === 'string' ? param.trim().replace(/^(body|request|\$)\./, '') : '';
  const byName = systemRole.test(words) ? undefined : byParam.find(([pattern]) => pattern.test(name))?.[1];
  const named = byName === 'messages' && pictures.test(words) ? 'pictures' : byName;
  // `tools[3].function.parameters` is about one tool, `tools` about tools.
  if (named === 'pictures') return { part: named, isLacking: lacks(named, words) };
  if (named) return { part: named, isLacking: (named !== 'thoughts' && !/[.[]/.test(name)) || lacks(named, words) };
  // Some servers write the kind of the error where the parameter belongs (Cerebras: `validation_error`).
  const part = byWords.find(([pattern]) => pattern.test(words))?.[1] ?? (noName.has(name.toLowerCase()) ? null : 'other');
  return { part, isLacking: part === 'system' || (part !== null && part !== 'messages' && lacks(part, words)) };
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
