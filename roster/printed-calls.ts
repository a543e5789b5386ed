/**
 * Tool calls that a model has printed as text, because the server does not know the syntax of its template. A call is taken only
 * where the whole reply is calls of offered tools: a reply that quotes one, maybe from a file that somebody else wrote, runs
 * nothing.
 */
import type { ToolSpec } from './conversation.ts';

export interface PrintedCall {
  readonly tool: string;
  readonly args: unknown;
}

/** @returns null unless the whole text is calls of these tools. */
export function printedCalls(text: string, tools: readonly ToolSpec[]): PrintedCall[] | null {
  const body = text.trim();
  if (!/^[<[{`]/.test(body)) return null;
  const typedCalls = callsIn(body)?.map(({ tool, args }) => {
    const spec = tools.find(({ name }) => name === tool);
    return spec ? { tool, args: typed(args, spec) } : null;
  });
  return typedCalls && typedCalls.length > 0 && typedCalls.every((it) => it !== null) ? typedCalls : null;
}

/** Arguments between tags are text; those that the tool wants as something else are read as JSON. */
function typed(args: unknown, { parameters }: ToolSpec): unknown {
  const { properties } = parameters as { properties?: Record<string, { type?: unknown } | undefined> };
  if (typeof args !== 'object' || args === null || Array.isArray(args) || !properties) return args;
  const isText = (key: string): boolean => {
    const type = Object.hasOwn(properties, key) ? properties[key]?.type : undefined;
    return type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'));
  };
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [
      key,
      typeof value === 'string' && !isText(key) ? (parsed(value) ?? value) : value,
    ]),
  );
}

type Found = PrintedCall[] | null;

/** The syntaxes by how they begin. Each gives the text between its marks to a reader; the last closing mark may be missing. */
const syntaxes: readonly (readonly [RegExp, (inner: string) => Found])[] = [
  [/<tool_call>([\s\S]*?)(?:<\/tool_call>|$)/g, (inner) => functionTags(inner) ?? jsonCalls(inner) ?? argKeys(inner)],
  [/<tool_calls>([\s\S]*?)(?:<\/tool_calls>|$)/g, (inner) => callsIn(inner.trim())],
  [/<(?:function_?call|tools)>([\s\S]*?)(?:<\/(?:function_?call|tools)>|$)/g, (inner) => jsonCalls(inner)],
  [/(?:<\|python_tag\|>|<\|tool_call\|>|\[TOOL_CALLS\])([\s\S]*)$/g, (inner) => jsonCalls(inner) ?? namedJson(inner)],
  [/```(?:json|tool_calls?|tool_code)?[ \t]*\n([\s\S]*?)(?:```|$)/g, (inner) => jsonCalls(inner)],
  [/(<function=[\s\S]*)$/g, (inner) => functionTags(inner)],
];

function callsIn(body: string): Found {
  for (const [syntax, read] of syntaxes) {
    const parts = [...body.matchAll(syntax)];
    if (parts.length === 0 || body.replace(syntax, '').trim() !== '') continue;
    const calls = parts.map((part) => read(part[1]!));
    return calls.every((it) => it !== null) ? calls.flat() : null;
  }
  return jsonCalls(body);
}

/** One object, a list of them, or one a line. */
function jsonCalls(text: string): Found {
  const body = text.trim();
  const values = parsed(body) ?? body.split(/\n+/).map(parsed);
  const calls = (Array.isArray(values) ? values.flat() : [values]).map(callOf);
  return calls.length > 0 && calls.every((it) => it !== null) ? calls : null;
}

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

type Pair = readonly [key: string, value: string];

/** Each opening mark and what follows it up to the next closing one. Openings that are never closed cost no time. */
function pairsIn(text: string, open: RegExp, close: string): Pair[] {
  const found: Pair[] = [];
  for (;;) {
    const start = open.exec(text);
    const end = start ? text.indexOf(close, open.lastIndex) : -1;
    if (!start || end < 0) return found;
    found.push([start[1]!, text.slice(open.lastIndex, end)]);
    open.lastIndex = end + close.length;
  }
}

const withoutBreaks = ([key, value]: Pair): Pair => [key, value.replace(/^\n/, '').replace(/\n$/, '')];

const valuesOf = (pairs: readonly Pair[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(([key, value]) => [key.trim(), value]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
