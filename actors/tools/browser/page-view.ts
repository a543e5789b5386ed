/**
 * The view of a page that an agent is shown: at most some thousand characters, the most useful lines first and in the order of the
 * page; or, where that is shorter, only what has changed since the last view.
 */

import type { PageLine, Weight } from './page-lines.ts';
import { quotedLine } from './page-words.ts';

/** Some thousand tokens, so that a small context holds several views. */
export const maxViewChars = 4_000;
/** Longest list of changes. Where more has changed, the whole view is shorter to read. */
const maxChangeChars = 1_500;

const costOf = ({ text }: PageLine): number => text.length + 3;

/** @returns the lines that fit, quoted, and how many were left out. A `…` stands where some were. */
export function fittingView(lines: readonly PageLine[], maxChars = maxViewChars): { text: string; leftOut: number } {
  const kept = new Set<number>();
  let room = maxChars;
  for (const weight of [0, 1, 2, 3] as const satisfies readonly Weight[])
    for (const [at, line] of lines.entries()) {
      if (line.weight !== weight || costOf(line) > room) continue;
      kept.add(at);
      room -= costOf(line);
    }
  const shown: string[] = [];
  for (const [at, { text }] of lines.entries()) {
    if (kept.has(at)) shown.push(quotedLine(text));
    else if (shown.at(-1) !== '| …') shown.push('| …');
  }
  return { text: shown.join('\n'), leftOut: lines.length - kept.size };
}

/**
 * A part of the lines, from a number on (from 1): as many as fit.
 * @returns in `next` the number of the first line that does not fit, or null.
 */
export function viewFrom(
  lines: readonly PageLine[],
  from: number,
  maxChars = maxViewChars,
): { text: string; next: number | null } {
  const shown: string[] = [];
  let room = maxChars;
  for (let at = Math.max(0, from - 1); at < lines.length; at++) {
    room -= costOf(lines[at]!);
    if (room < 0 && shown.length > 0) return { text: shown.join('\n'), next: at + 1 };
    shown.push(quotedLine(lines[at]!.text));
  }
  return { text: shown.join('\n'), next: null };
}

/**
 * The differences from an earlier view: `+` for new lines, `-` for lines that are gone, `~` for an element that has changed.
 * @returns null if that is more than `maxChars` characters. Empty if nothing has changed.
 */
export function changesBetween(
  before: readonly PageLine[],
  after: readonly PageLine[],
  maxChars = maxChangeChars,
): string | null {
  const left = new Map<string, number>();
  for (const { text } of before) left.set(text, (left.get(text) ?? 0) + 1);
  const fresh: PageLine[] = [];
  for (const line of after) {
    const count = left.get(line.text) ?? 0;
    if (count > 0) left.set(line.text, count - 1);
    else fresh.push(line);
  }
  const known = new Set(before.flatMap(({ ref }) => ref ?? []));
  const still = new Set(fresh.flatMap(({ ref }) => ref ?? []));
  const gone: PageLine[] = [];
  for (const line of before) {
    const count = left.get(line.text) ?? 0;
    if (count === 0) continue;
    left.set(line.text, count - 1);
    if (line.ref === null || !still.has(line.ref)) gone.push(line);
  }
  const words = [
    ...fresh.map(({ text, ref }) => `${ref !== null && known.has(ref) ? '~' : '+'} ${text}`),
    ...gone.map(({ text }) => `- ${text}`),
  ];
  const all = words.map(quotedLine).join('\n');
  return all.length <= maxChars ? all : null;
}
