/** Planned changes in words: for the operator who is asked, and for the model that asked for them. */

import { beginningOf } from '../../../platform/cut.ts';
import { withoutTail } from '../../../platform/trim.ts';
import type { ToolPreview } from '../tool.ts';
import { baseOf, isSame, type PlannedChange } from './file-changes.ts';
import { decodeText, formInWords, keptForm } from './text-form.ts';
import { linesOf } from './unified-diff.ts';

interface Size {
  readonly chars: number;
  readonly lines: number;
}
/** Longest diff that is shown with a question: a screen of a terminal. */
const maxShown: Size = { chars: 4_000, lines: 40 };
/** Longest text that is kept to be shown on demand. */
const maxWhole: Size = { chars: 1_000_000, lines: 100_000 };

/** A line for each file, then the diffs. What is cut off is counted. */
export function previewOf(plans: readonly PlannedChange[]): ToolPreview {
  const heads = plans.map(headOf).join('\n');
  const diffs = plans.map(({ diff }) => diff).join('');
  const text = (size: Size) => withoutTail(`${heads}\n${cut(diffs, size)}`, '\n');
  const isCut = cut(diffs, maxShown) !== diffs;
  return { text: text(maxShown), base: baseOf(plans), ...(isCut && { whole: text(maxWhole) }) };
}

function cut(diffs: string, { chars, lines }: Size): string {
  const all = linesOf(diffs);
  if (diffs.length <= chars && all.length <= lines) return diffs;
  const begin = beginningOf(`${all.slice(0, lines).join('\n')}\n`, chars);
  const shown = begin.slice(0, begin.lastIndexOf('\n') + 1) || `${begin}\n`;
  const left = linesOf(diffs.slice(shown.length));
  return `${shown}[… ${left.length} more ${left.length === 1 ? 'line' : 'lines'}, ${diffs.length - shown.length} characters]`;
}

function headOf(plan: PlannedChange): string {
  const { now, kind, verb, after } = plan;
  const kept = keptInWords(plan);
  const form = kept ? `; keeps ${kept}` : '';
  if (isSame(plan)) return `leaves ${now.name} as it is: it has this text already`;
  if (kind === 'created') return `new file ${now.name}: ${bytes(after!.length)} ${numbersOf(plan)}`;
  const old = `${bytes(now.size)}${now.formed ? '' : now.data ? ' that are not text' : ', too large for a diff'}`;
  if (kind === 'deleted') return `deletes ${now.name}: ${old} ${numbersOf(plan)}`;
  return `${verb} ${now.name}: ${old} → ${bytes(after!.length)} ${numbersOf(plan)}${form}${linksOf(plan)}`;
}
/** A write replaces the file, because a crash must leave the old or the new one; a hard link leads to the old one from then on. */
export function linksOf(plan: PlannedChange): string {
  const { name, otherNames } = plan.now;
  if (plan.kind !== 'changed' || otherNames < 1 || isSame(plan)) return '';
  return `; ${otherNames === 1 ? 'another name' : `${otherNames} other names`} of ${name} (hard link) will have the old text`;
}
/** The form of the file that the change keeps; an empty text for the usual form. */
export function keptInWords({ now, after }: PlannedChange): string {
  const made = after && decodeText(after);
  return now.formed && made ? formInWords(keptForm(now.formed.form, made.form)) : '';
}

const bytes = (count: number): string => `${count} ${count === 1 ? 'byte' : 'bytes'}`;

/** Lines added and removed: `(+12 −3)`. */
export const numbersOf = ({ added, removed }: Pick<PlannedChange, 'added' | 'removed'>): string =>
  removed === null ? `(+${added})` : `(+${added} −${removed})`;

/** One line for each file, for the model. */
export const doneInWords = (plans: readonly PlannedChange[]): string =>
  plans.map((plan) => `${plan.kind} ${plan.now.name} ${numbersOf(plan)}${linksOf(plan)}`).join('\n');
