/**
 * Thoughts that a model writes into its reply, between tags, where the server does not keep them apart. The chat template may have
 * opened them already, so that the reply has only the closing tag. A tag that is quoted, in code or within a whole JSON value, is
 * text.
 */
export interface Split {
  readonly text: string;
  readonly thoughts: string;
}

const names = ['think', 'thinking', 'thought', 'thoughts', 'reasoning', 'seed:think', 'antthinking'];
/** Opening and closing tags, in lower case. */
const tags: readonly (readonly [string, string])[] = [
  ...names.map((name) => [`<${name}>`, `</${name}>`] as const),
  ['[think]', '[/think]'],
  ['◁think▷', '◁/think▷'],
  ['<|start_thinking|>', '<|end_thinking|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<unused94>', '<unused95>'],
  ['<|channel>thought', '<channel|>'],
  ['<|channel|>analysis<|message|>', '<|end|>'],
];
/** Tags that may also be a part of an answer: they hold thoughts where the reply begins with them and goes on behind them. */
const leading = /^\s*<(scratchpad|reflection|inner_monologue|internal_monologue)>([\s\S]*?)<\/\1>(?=\s*\S)/i;
/** The whole answer behind thoughts, as some models were trained to write it. */
const answerTags = /^\s*<answer>([\s\S]*)<\/answer>\s*$/i;
/** What stands before the answer, behind the thoughts of the last kind. */
const answerHead =
  /^\s*(?:<\|start\|>assistant)?(?:<\|channel\|>final<\|message\|>|<\|start_response\|>|<\|begin_of_solution\|>)/i;
/** Both channels of the last kind, from a server that has left out the marks between them. */
const bareChannels = /^\s*analysis(?=[A-Z\s])([\s\S]*?)assistantfinal([\s\S]*)$/;
const answerTail = /(?:<\|return\|>|<\|end\|>|<\|end_response\|>|<\|end_of_solution\|>)\s*$/i;

/** Most thoughts that are taken out, and most quoted tags that are passed over: a longer text is not worth the time. */
const most = 64;
/** Most blanks before the text of a reply that are held back while it streams, in characters. */
const mostHeld = 2_000;

/** The text without its thoughts. It is returned unchanged if it has none. */
export function splitThoughts(raw: string): Split {
  if (!/[<[◁]|assistantfinal/.test(raw) || isWholeJson(raw)) return { text: raw, thoughts: '' };
  const thoughts: string[] = [];
  let text = raw;
  for (let found = firstThought(text); found && thoughts.length < most; found = firstThought(text)) {
    thoughts.push(text.slice(found.inner[0], found.inner[1]).trim());
    text = text.slice(0, found.outer[0]) + text.slice(found.outer[1]);
  }
  const first = leading.exec(text);
  if (first) {
    thoughts.push(first[2]!.trim());
    text = text.slice(first[0].length);
  }
  const bare = bareChannels.exec(text);
  if (bare) return { text: bare[2]!.trim(), thoughts: bare[1]!.trim() };
  const head = answerHead.exec(text);
  if (head) text = text.slice(head[0].length).replace(answerTail, '');
  if (text === raw) return { text, thoughts: '' };
  if (thoughts.length > 0) text = answerTags.exec(text)?.[1] ?? text;
  return { text: text.trim(), thoughts: thoughts.filter(Boolean).join('\n\n') };
}

export const withoutThoughts = (raw: string): string => splitThoughts(raw).text;

interface Span {
  readonly outer: readonly [number, number];
  readonly inner: readonly [number, number];
}

function firstThought(text: string): Span | null {
  const lower = text.toLowerCase();
  const start = lower.length - lower.trimStart().length;
  for (const [open, close] of tags) {
    if (!lower.startsWith(open, start)) continue;
    const end = closingOf(lower, start + open.length, open, close);
    // Without a closing tag the reply was cut off in its thoughts.
    const [inner, outer] = end < 0 ? [text.length, text.length] : [end, end + close.length];
    return { outer: [start, outer], inner: [start + open.length, inner] };
  }
  for (const [open, close] of tags) {
    const begin = lower.indexOf(open);
    const unquoted = nextTag(lower, close, 0);
    const end = unquoted < 0 && begin >= 0 ? lower.indexOf(close, begin) : unquoted;
    if (end < 0) continue;
    // Only the closing tag, which a bare `<|end|>` is not.
    if ((begin < 0 || begin > end) && open !== tags.at(-1)![0]) return { outer: [0, end + close.length], inner: [0, end] };
    if (begin >= 0 && begin < end && isThought(lower, begin, open, end) && !isInCode(lower, begin))
      return { outer: [begin, end + close.length], inner: [begin + open.length, end] };
  }
  return null;
}

/** Whether a pair of tags within a text holds a thought. A text that explains the tags quotes them, or has little between them. */
function isThought(lower: string, begin: number, open: string, end: number): boolean {
  if (isLineStart(lower, begin) || !isQuoted(lower, begin, open)) return true;
  const inner = lower.slice(begin + open.length, end).trim();
  return inner.length > 40 || /[\n{]/.test(inner);
}

/** The closing tag that belongs to the opening one before `from`, over the pairs in between. */
function closingOf(lower: string, from: number, open: string, close: string): number {
  let depth = 1;
  for (let at = from; ; ) {
    const end = lower.indexOf(close, at);
    if (end < 0) return lower.indexOf(close, from);
    for (let inner = lower.indexOf(open, at); inner >= 0 && inner < end; inner = lower.indexOf(open, inner + 1)) depth++;
    if (--depth === 0) return end;
    at = end + close.length;
  }
}

/** The next tag that is not quoted. */
function nextTag(lower: string, tag: string, from: number): number {
  let passed = 0;
  for (let at = lower.indexOf(tag, from); at >= 0 && passed < most; at = lower.indexOf(tag, at + 1), passed++) {
    const isAlone = isLineStart(lower, at) || /^[ \t]*(\n|$)/.test(lower.slice(at + tag.length, at + tag.length + 20));
    if ((!isQuoted(lower, at, tag) || isAlone) && !isInCode(lower, at)) return at;
  }
  return -1;
}

const isQuoted = (lower: string, at: number, tag: string): boolean =>
  /[\s"'“‘(]/.test(lower[at - 1] ?? '\n') && /[ "'”’),.]/.test(lower[at + tag.length] ?? '\n');

const isLineStart = (text: string, at: number): boolean => /(^|\n)[ \t]*$/.test(text.slice(Math.max(0, at - 40), at));

function isInCode(text: string, at: number): boolean {
  const before = text.slice(0, at);
  if ((before.match(/^[ \t]*```/gm)?.length ?? 0) % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf('\n') + 1);
  return (line.match(/`/g)?.length ?? 0) % 2 === 1;
}

function isWholeJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Holds back the thoughts at the beginning of a reply while it streams. Thoughts without an opening tag are not held back. */
export class ThoughtFilter {
  #held = '';
  #close: string | null = null;
  #isText = false;
  #hasThought = false;

  push(piece: string): string {
    if (this.#isText) return piece;
    this.#held += piece;
    for (;;) {
      if (this.#close !== null) {
        const end = this.#held.toLowerCase().indexOf(this.#close);
        if (end < 0) {
          this.#held = this.#held.slice(-this.#close.length);
          return '';
        }
        this.#held = this.#held.slice(end + this.#close.length).trimStart();
        this.#close = null;
        continue;
      }
      const lead = this.#held.trimStart().slice(0, 40).toLowerCase();
      const tag = tags.find(([open]) => lead.startsWith(open));
      if (!tag) {
        if (this.#held.length < mostHeld && tags.some(([open]) => open.startsWith(lead))) return '';
        this.#isText = true;
        return this.end();
      }
      this.#held = this.#held.trimStart().slice(tag[0].length);
      this.#close = tag[1];
      this.#hasThought = true;
    }
  }

  /** What was held back and is no thought. */
  end(): string {
    const rest = this.#close !== null ? '' : this.#hasThought ? this.#held.trimStart() : this.#held;
    this.#held = '';
    return rest;
  }
}
