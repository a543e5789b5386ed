/** Where a task lies on the time of its goal: when it was made, and until when it worked. */
import type { Row } from './goal-tree.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

export function spanOf({ createdAt, updatedAt, outcome }: Row, now: number): Span | null {
  if (createdAt === undefined) return null;
  const from = Date.parse(createdAt);
  return { from, to: Math.max(from, outcome !== null && updatedAt !== undefined ? Date.parse(updatedAt) : now) };
}

/** The time that all rows cover together. */
export function timeOf(rows: readonly Row[], now: number): Span {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const span = spanOf(row, now);
    if (!span) continue;
    from = Math.min(from, span.from);
    to = Math.max(to, span.to);
  }
  return from < to ? { from, to } : { from: now - 1_000, to: now };
}

/** Left end and width of a span in percent of the whole. A span that is too short to be seen has a least width. */
export function placeOf(span: Span, whole: Span): { readonly left: number; readonly width: number } {
  const lasts = whole.to - whole.from;
  const width = Math.max(leastPercent, ((span.to - span.from) / lasts) * 100);
  return { left: Math.min(100 - width, ((span.from - whole.from) / lasts) * 100), width };
}
const leastPercent = 0.6;

export type Vital = { readonly word: string; readonly isQuiet: boolean };
const quietMs = 60_000;

/** The last sign of life of a task that works: stuck, or thinking? Null for one that does not work. */
export function vitalOf({ state, outcome, paused, lastTokenAt, lastToolAt, updatedAt }: Row, now: number): Vital | null {
  if (
    outcome !== null ||
    paused ||
    (state !== 'thinking' && state !== 'acting' && state !== 'reducing' && state !== 'decomposing')
  )
    return null;
  const signs = [lastTokenAt && ['token', lastTokenAt], lastToolAt && ['tool', lastToolAt]].filter((it) => Array.isArray(it));
  const last = signs.sort((a, b) => (a[1]! < b[1]! ? 1 : -1))[0];
  const at = last?.[1] ?? updatedAt;
  if (at === undefined) return null;
  const ms = now - Date.parse(at);
  const word = last ? `last ${last[0] === 'token' ? 'word of the model' : 'word of a tool'}` : 'no word of the model yet;';
  return { word: `${word} ${seconds(ms)}${last ? ' ago' : ''}`, isQuiet: ms > quietMs };
}
const seconds = (ms: number): string => {
  const s = Math.max(0, Math.round(ms / 1_000));
  return s < 120 ? `${s} s` : `${Math.round(s / 60)} min`;
};
