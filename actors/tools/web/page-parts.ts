/** A long text of a page in parts that a model's context can hold. Offsets count characters (UTF-16 units) of the text. */
import { beginningOf } from '../../../platform/cut.ts';

export interface PagePart {
  readonly text: string;
  /** The offset at which the next part begins, or null at the end. */
  readonly next: number | null;
}

/** Longest part, in characters, with the mark before each line. */
const maxPartChars = 11_000;
const markChars = 2;

/** Whole lines from an offset on, as many as fit; of a line that is too long itself its beginning. */
export function pagePart(text: string, offset: number): PagePart {
  const from = Math.min(offset, text.length);
  let at = from;
  let room = maxPartChars;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const line = (end < 0 ? text.length : end) - at + markChars + 1;
    if (line > room) break;
    room -= line;
    at = end < 0 ? text.length : end + 1;
  }
  // A cluster that never ends is cut in its middle, so that each part has something.
  if (at === from && at < text.length) at += beginningOf(text.slice(from), maxPartChars - markChars).length || maxPartChars;
  return { text: text.slice(from, at), next: at < text.length ? at : null };
}
