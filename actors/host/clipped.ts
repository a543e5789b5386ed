/** Longest finding that a result or a carryover keeps of one message, in characters: a model reads it again. */
const maxFoundChars = 2_000;

/** A text cut to `maxChars`, with a mark that says how much is missing. */
export const clipped = (text: string, maxChars = maxFoundChars): string =>
  text.length > maxChars
    ? `${text.slice(0, maxChars)} [… ${(text.length - maxChars).toLocaleString('en')} more characters]`
    : text;
