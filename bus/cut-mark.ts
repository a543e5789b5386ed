/**
 * The mark on a text that its backend did not finish. It is part of the text, so that it goes wherever the text goes: into results,
 * into the answer, and to the models that read it.
 */
const marks = /\[This text is incomplete: [^[\]]{1,60} \(([^()\]]{1,200})\)\.\]$/;

const reasons: Readonly<Record<string, string>> = {
  length: 'the output limit cut it off',
  // roster/model-call.ts says so.
  'printed call': 'it prints a call of a tool, and that was not run',
};

/** @param reason the word of the backend, such as `length`. */
export function withCutMark(text: string, reason: string): string {
  const word = reason.replaceAll(/[[\]()]/g, ' ').trim() || 'no reason';
  const why = Object.hasOwn(reasons, word) ? reasons[word] : 'its backend ended it early';
  return `${text.trimEnd()}\n\n[This text is incomplete: ${why} (${word}).]`;
}

/** The reason in the mark of a text; null if it has none. */
export const cutMarkIn = (text: string): string | null => marks.exec(text.trimEnd())?.[1] ?? null;
