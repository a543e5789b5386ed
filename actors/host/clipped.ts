import { beginningOf } from '../../platform/cut.ts';

/** Longest finding that a result or a carryover keeps of one message, in characters: a model reads it again. */
const maxFoundChars = 2_000;

/** A text cut to `maxChars`, with a mark that says how much is missing. */
export function clipped(text: string, maxChars = maxFoundChars): string {
  const kept = beginningOf(text, maxChars);
  const left = text.length - kept.length;
  return left > 0 ? `${kept} [… ${left.toLocaleString('en')} more characters]` : text;
}
