/** Finds the JSON in a model's text, which often has thoughts before it, a code fence around it, or other text after it. */
import { withoutThoughts } from './thoughts.ts';

/** Most brackets in prose that are passed over: each costs a look at the whole rest of the text. */
const mostSkipped = 100;

/**
 * The first JSON object or array; undefined if there is none. Nothing is guessed: if the first one was cut off or is broken, no
 * inner part of it is returned instead.
 */
export function jsonIn(text: string): unknown {
  const body = withoutThoughts(text);
  let start = body.search(/[{[]/);
  for (let skipped = 0; start >= 0 && skipped <= mostSkipped; skipped++, start = nextOpening(body, start + 1)) {
    const end = closingOf(body, start);
    try {
      if (end >= 0) return JSON.parse(body.slice(start, end + 1));
    } catch {}
    // A bracket in prose is skipped. Text that begins like JSON and does not parse ends the search.
    if (/^(?:\{\s*"|\[\s*[[{"])/.test(body.slice(start, start + 100))) return undefined;
  }
  return undefined;
}

function nextOpening(text: string, from: number): number {
  const at = text.slice(from).search(/[{[]/);
  return at < 0 ? -1 : from + at;
}

function closingOf(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at;
  }
  return -1;
}
