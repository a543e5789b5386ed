/** The ways in which open models write calls of tools in their text: the marks of their templates, tags, JSON, and Python. */
import { pythonCalls } from './python-calls.ts';

export interface PrintedCall {
  readonly tool: string;
  readonly args: unknown;
}
type Found = PrintedCall[] | null;

/** The syntaxes by how they begin. Each gives the text between its marks to a reader; the last closing mark may be missing. */
const syntaxes: readonly (readonly [RegExp, (inner: string) => Found])[] = [
  [
    /<(?:seed:)?tool_call>([\s\S]*?)(?:<\/(?:seed:)?tool_call>|$)/g,
    (inner) => functionTags(inner) ?? jsonCalls(inner) ?? argKeys(inner),
  ],
  [/<tool_calls>([\s\S]*?)(?:<\/tool_calls>|$)/g, (inner) => callsIn(inner.trim())],
  [/<(?:function_?call|tools|TOOLCALL)>([\s\S]*?)(?:<\/(?:function_?call|tools|TOOLCALL)>|$)/g, (inner) => jsonCalls(inner)],
  [/\[TOOL_REQUEST\]([\s\S]*?)(?:\[END_TOOL_REQUEST\]|$)/g, (inner) => jsonCalls(inner)],
  [/<\|START_ACTION\|>([\s\S]*?)(?:<\|END_ACTION\|>|$)/g, (inner) => jsonCalls(inner)],
  [/<\|action_start\|><\|plugin\|>([\s\S]*?)(?:<\|action_end\|>|$)/g, (inner) => jsonCalls(inner)],
  [/<\|tool_call\|>([\s\S]*?)(?:<\|\/tool_call\|>|$)/g, (inner) => jsonCalls(inner)],
  [/(?:<\|python_tag\|>|\[TOOL_CALLS\])([\s\S]*)$/g, (inner) => jsonCalls(inner) ?? manyNamed(inner) ?? pythonCalls(inner)],
  [/```(?:json|tool_calls?|tool_code)?[ \t]*\n([\s\S]*?)(?:```|$)/g, (inner) => jsonCalls(inner) ?? pythonCalls(inner)],
  [/(<function=[\s\S]*)$/g, (inner) => functionTags(inner.replace(/<\/tool_call>\s*$/, ''))],
  [/<(?:minimax:tool_call|function_calls)>([\s\S]*?)(?:<\/(?:minimax:tool_call|function_calls)>|$)/g, invocations],
  [/(<invoke [\s\S]*)$/g, invocations],
  [/<\|tool_calls_section_begin\|>([\s\S]*?)(?:<\|tool_calls_section_end\|>|$)/g, kimiCalls],
  [/<｜tool▁calls▁begin｜>([\s\S]*?)(?:<｜tool▁calls▁end｜>|$)/g, deepSeekCalls],
  [/(?:<\|start\|>assistant)?<\|channel\|>commentary ([\s\S]*)$/g, harmonyCall],
];

/** @returns the calls of a text that is nothing else; null for any other text. */
export function callsIn(body: string): Found {
  for (const [syntax, read] of syntaxes) {
    const parts = [...body.matchAll(syntax)];
    if (parts.length === 0 || body.replace(syntax, '').trim() !== '') continue;
    const calls = parts.map((part) => read(part[1]!));
    return calls.every((it) => it !== null) ? calls.flat() : null;
  }
  return jsonCalls(body) ?? pythonCalls(body);
}

/** One object, a list of them, or one a line. */
function jsonCalls(text: string): Found {
  const body = text.trim();
  const values = callJson(body) ?? body.split(/\n+/).map(callJson);
  const calls = (Array.isArray(values) ? values.flat() : [values]).map(callOf);
  return calls.length > 0 && calls.every((it) => it !== null) ? calls : null;
}

/** The template of Qwen2.5-Coder shows a call within doubled braces, and the model copies them. */
const callJson = (text: string): unknown =>
  parsed(text) ?? (text.startsWith('{{') && text.trimEnd().endsWith('}}') ? parsed(text.trim().slice(1, -1)) : undefined);

function callOf(value: unknown): PrintedCall | null {
  if (typeof value !== 'object' || value === null) return null;
  const outer = value as Record<string, unknown>;
  const it = typeof outer.function === 'object' && outer.function !== null ? (outer.function as Record<string, unknown>) : outer;
  const tool = it.name ?? it.tool ?? it.tool_name ?? it.function;
  const args = it.arguments ?? it.args ?? it.parameters ?? it.input;
  if (typeof tool !== 'string' || args === undefined) return null;
  const inner = typeof args === 'string' ? parsed(args) : args;
  return { tool, args: inner ?? args };
}

/** `<function=name>` with JSON, or with `<parameter=key>value</parameter>` for each argument. */
function functionTags(text: string): Found {
  const syntax = /<function=([\w.-]+)>([\s\S]*?)(?:<\/function>|$)/g;
  const parts = [...text.matchAll(syntax)];
  if (parts.length === 0 || text.replace(syntax, '').trim() !== '') return null;
  const calls = parts.map(([, tool, inner]) => {
    const pairs = pairsIn(inner!, /<parameter=([\w.-]+)>/g, '</parameter>');
    const args = pairs.length > 0 || !inner!.trim() ? valuesOf(pairs.map(withoutBreaks)) : parsed(inner!);
    return args === undefined ? null : { tool: tool!, args };
  });
  return calls.every((it) => it !== null) ? calls : null;
}

/** A name, then `<arg_key>` and `<arg_value>` by turns. */
function argKeys(text: string): Found {
  const [, tool, rest] = /^\s*([\w.-]+)\s*((?:<arg_key>[\s\S]*)?)$/.exec(text) ?? [];
  if (!tool) return null;
  const pairs = pairsIn(rest!, /<arg_key>([^<]+)<\/arg_key>\s*<arg_value>/g, '</arg_value>');
  return rest && pairs.length === 0 ? null : [{ tool, args: valuesOf(pairs) }];
}

/** `name{…}` or `name[ARGS]{…}`. */
function namedJson(text: string): Found {
  const brace = text.indexOf('{');
  const [, tool] = /^([\w.-]+)(?:\s*\[ARGS\])?$/.exec(text.slice(0, Math.max(0, brace)).trim()) ?? [];
  const args = tool ? parsed(text.slice(brace)) : undefined;
  return tool && args !== undefined ? [{ tool, args }] : null;
}

/** Several calls, each with the mark before it. */
function manyNamed(text: string): Found {
  const calls = text.split('[TOOL_CALLS]').map((part) => namedJson(part.trim()));
  return calls.every((it) => it !== null) ? calls.flat() : null;
}

/** `<invoke name="…">` with `<parameter name="…">` for each argument. */
function invocations(text: string): Found {
  const calls = onlyPairs(text, /<invoke name="([\w.-]+)">/g, '</invoke>')?.map(([tool, inner]) => ({
    tool,
    args: valuesOf(pairsIn(inner, /<parameter name="([\w.-]+)"[^>]{0,40}>/g, '</parameter>').map(withoutBreaks)),
  }));
  return calls ?? null;
}

/** `functions.<name>:<number>`, a mark, and JSON. */
function kimiCalls(text: string): Found {
  const open = /<\|tool_call_begin\|>\s*(?:functions\.)?([\w-]+)(?::\d+)?\s*<\|tool_call_argument_begin\|>/g;
  return withJson(onlyPairs(text, open, '<|tool_call_end|>'));
}

/** A name, a mark, and JSON; or the word `function`, a mark, a name, and JSON in a fence. */
function deepSeekCalls(text: string): Found {
  const open = /<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>|\s)/g;
  return withJson(onlyPairs(text, open, '<｜tool▁call▁end｜>'));
}

/** `to=functions.<name>`, perhaps the form of the content, and JSON. */
function harmonyCall(text: string): Found {
  const [, tool] = /^to=(?:functions\.)?([\w-]+)/.exec(text) ?? [];
  const at = text.indexOf('<|message|>');
  return tool && at >= 0 ? withJson([[tool, text.slice(at + '<|message|>'.length)]]) : null;
}

function withJson(pairs: readonly Pair[] | null): Found {
  const calls = pairs?.map(([tool, json]) => ({ tool, args: parsed(json.replace(/^\s*```(?:json)?|```\s*$/g, '')) }));
  return calls?.every(({ args }) => args !== undefined) ? calls : null;
}

type Pair = readonly [key: string, value: string];

/** Each opening mark and what follows it up to the next closing one. Openings that are never closed cost no time. */
const pairsIn = (text: string, open: RegExp, close: string): Pair[] => pairsAndRest(text, open, close).pairs;

/** The same, or null if there is anything beside the pairs, or none of them. */
function onlyPairs(text: string, open: RegExp, close: string): Pair[] | null {
  const { pairs, rest } = pairsAndRest(text, open, close);
  return pairs.length > 0 && rest.trim() === '' ? pairs : null;
}

function pairsAndRest(text: string, open: RegExp, close: string): { readonly pairs: Pair[]; readonly rest: string } {
  const pairs: Pair[] = [];
  let rest = '';
  for (let at = 0; ; ) {
    const start = open.exec(text);
    const end = start ? text.indexOf(close, open.lastIndex) : -1;
    if (!start || end < 0) return { pairs, rest: rest + text.slice(at) };
    pairs.push([start[1]!, text.slice(open.lastIndex, end)]);
    rest += text.slice(at, start.index);
    at = end + close.length;
    open.lastIndex = at;
  }
}

const withoutBreaks = ([key, value]: Pair): Pair => [key, value.replace(/^\n/, '').replace(/\n$/, '')];

const valuesOf = (pairs: readonly Pair[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(([key, value]) => [key.trim(), value]));

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
