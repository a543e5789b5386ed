/**
 * A call that a model has printed into its reply, and that does not run: it was cut off, its syntax is broken, or prose stands
 * beside it. Such a reply is no answer, unless it quotes the call. The model alone knows that, so it is asked once.
 */
import type { ToolSpec } from './conversation.ts';

/** Marks at which calls begin, each with the mark at which it ends. */
const marks: readonly (readonly [open: RegExp, close: RegExp])[] = [
  [/<(?:[\w-]+:)?tool_?calls?>/gi, /<\/(?:[\w-]+:)?tool_?calls?>/gi],
  [/<function_?calls?>|<tools>/g, /<\/(?:function_?calls?|tools)>/g],
  [/<function=/g, /<\/function>(?:\s*<\/tool_call>)?/g],
  [/<invoke /g, /<\/invoke>/g],
  [/\[TOOL_CALLS\]|<\|python_tag\|>/g, /$/g],
  [/<\|tool_call\|?>/g, /<\|?\/?tool_call\|>|$/g],
  [/\[TOOL_REQUEST\]/g, /\[END_TOOL_REQUEST\]/g],
  [/<\|START_ACTION\|>/g, /<\|END_ACTION\|>/g],
  [/<\|tool_calls_section_begin\|>/g, /<\|tool_calls_section_end\|>/g],
  [/<｜tool▁calls▁begin｜>/g, /<｜tool▁calls▁end｜>/g],
  [/<｜DSML｜\w*calls>/g, /<\/｜DSML｜\w*calls>/g],
  [/<\|channel\|>commentary (?=to=)/g, /<\|call\|>|$/g],
  [/^[ \t]*```(?:json|tool_calls?|tool_code|python|xml)?[ \t]*$/gm, /^[ \t]*```[ \t]*$/gm],
  [/^[ \t]*(?=[{[])/gm, /[}\]][ \t]*$/gm],
  [/^\[?(?=[A-Za-z_][\w.-]*\()/g, /\)\]?$/g],
];
/** A call names its tool within this many characters. */
const mostHead = 600;
/** Most places in a text that are looked at. */
const most = 64;

/**
 * @param text without its thoughts, of which no call was taken.
 * @returns whether it begins or ends with a call of one of these tools. One in the middle of a text is an example.
 */
export function hasStrayCall(text: string, tools: readonly ToolSpec[]): boolean {
  const body = text.trim();
  return tools.length > 0 && tools.some(({ name }) => body.includes(name)) && marks.some((pair) => isStray(body, pair, tools));
}

function isStray(body: string, [open, close]: (typeof marks)[number], tools: readonly ToolSpec[]): boolean {
  const openings = [...body.matchAll(open)].slice(-most);
  return openings.some(({ 0: mark, index }) => {
    const inner = index + mark.length;
    const end = [...body.slice(inner).matchAll(close)].at(-1);
    const called = body.slice(inner, end ? inner + end.index : body.length);
    if (!isCall(called, tools, end !== undefined) || isInline(body, index)) return false;
    return index === 0 || !end || inner + end.index + end[0].length === body.length;
  });
}

/** An offered tool is named as calls name it, and what is JSON has arguments too, as far as it came. */
function isCall(text: string, tools: readonly ToolSpec[], isClosed: boolean): boolean {
  const head = text.slice(0, mostHead);
  const hasArgs = !isClosed || /"(?:arguments|args|parameters|input)"\s*:/.test(text);
  return tools.some(({ name }) => {
    const word = name.replaceAll(/[^\w]/g, '\\$&');
    return new RegExp(inTags + word + wordEnd).test(head) || (hasArgs && new RegExp(`${inJson}${word}"`).test(head));
  });
}
/** At the beginning of the call, or behind a mark within it. */
const inTags = String.raw`(?:^[\s[]*|<function=|(?:^|invoke )name="|\bto=|functions\.|sep｜>|begin｜>)`;
const wordEnd = String.raw`(?![\w-])`;
/** The first or the second field of the first object. */
const inJson = String.raw`^[\s[{]*(?:"\w+"\s*:\s*"[^"]*"\s*,\s*)?(?:"function"\s*:\s*\{\s*)?"(?:name|tool|tool_name|function)"\s*:\s*"(?:functions\.)?`;

/** Whether the place is within code in a line: `<tool_call>`. */
const isInline = (body: string, at: number): boolean =>
  (body.slice(body.lastIndexOf('\n', at - 1) + 1, at).match(/`/g)?.length ?? 0) % 2 === 1;
