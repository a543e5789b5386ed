/**
 * Bounds how often a log repeats itself: somebody who sends a million malformed messages must not fill a disk with complaints, nor
 * hide other lines among them.
 */

import { beginningOf } from './cut.ts';

/** Most lines of one kind in a minute. */
const mostOfKind = 20;
const minuteMs = 60_000;
/** More kinds than the code has. If texts of strangers were kinds, they would be forgotten again. */
const mostKinds = 1_000;
const maxKindChars = 200;

interface Count {
  readonly since: number;
  written: number;
  leftOut: number;
}

/** `leftOut`: number of lines of this kind that were left out in the minute before. `isLast`: the next ones are left out. */
export type Verdict =
  | { readonly isWritten: false }
  | { readonly isWritten: true; readonly leftOut: number; readonly isLast: boolean };

export class ComplaintLimit {
  readonly #counts = new Map<string, Count>();

  /** @param kind the words of a line without what varies. @param now in ms. */
  judge(kind: string, now: number): Verdict {
    const key = beginningOf(kind, maxKindChars);
    const before = this.#counts.get(key);
    const isNew = !before || now - before.since >= minuteMs;
    const count = isNew ? { since: now, written: 0, leftOut: 0 } : before;
    if (isNew) {
      this.#counts.delete(key);
      this.#counts.set(key, count);
      if (this.#counts.size > mostKinds) this.#counts.delete(this.#counts.keys().next().value!);
    }
    if (count.written >= mostOfKind) {
      count.leftOut++;
      return { isWritten: false };
    }
    count.written++;
    return { isWritten: true, leftOut: isNew ? (before?.leftOut ?? 0) : 0, isLast: count.written === mostOfKind };
  }
}
