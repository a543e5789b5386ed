/**
 * Tool calls that a model has printed as text, because the server does not know the syntax of its template. A call is taken only
 * where the whole reply is calls of offered tools: a reply that quotes one, maybe from a file that somebody else wrote, runs
 * nothing.
 */
import { callsIn, type PrintedCall, parsed } from './call-syntaxes.ts';
import type { ToolSpec } from './conversation.ts';

/** The end of a turn in a template, from a server that does not know it. */
const endToken = /(<\|(im_end|eot_id|eom_id|end|endoftext|call|return)\|>|<\/s>|<｜end▁of▁sentence｜>)$/;

/** @returns null unless the whole text is calls of these tools. */
export function printedCalls(text: string, tools: readonly ToolSpec[]): PrintedCall[] | null {
  const whole = text.trim().replace(endToken, '').trimEnd();
  // DeepSeek marks each tag of its syntax, which is that of `<invoke>`.
  const body = whole.startsWith('<｜DSML｜')
    ? whole.replaceAll('｜DSML｜', '').replaceAll('tool_calls>', 'function_calls>')
    : whole;
  const isCalled = tools.some(({ name }) => body.startsWith(`${name}(`));
  if (!/^[<[{`]/.test(body) && !isCalled) return null;
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
