/** Lines that tell an operator about events: the difference between two status messages, live output, a result. */

import type { Live, Result, Status } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { withoutTail } from '../../platform/trim.ts';
import type { Room } from './fit.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';
import { questionLines } from './question.ts';
import { receiptLine } from './receipt.ts';
import { endLine, salvageLines } from './result.ts';
import { statusLine } from './status.ts';

export interface EventOptions {
  /** `news` has only starts, pauses, final receipts and questions; `every step` has every change. */
  readonly detail: 'news' | 'every step';
  readonly answerWith: string;
  /** Whether the receipts of this steer are printed elsewhere. */
  readonly skipReceipt?: (steer: string) => boolean;
  /** The id of the open question, if it has already been shown. */
  readonly toldQuestion?: string;
  /** For one task of very many: leaves out starts and notes. */
  readonly quiet?: boolean;
  /** A tree beside the lines shows the states of tasks: starts, steps and pauses are left out. */
  readonly inTree?: boolean;
  /** The screen that a question is cut to. Default: it is not cut. */
  readonly place?: Room;
}

export function statusLines(
  before: Status | null,
  now: Status,
  paint: Paint,
  { detail, answerWith, skipReceipt = () => false, toldQuestion, quiet = false, inTree = false, place }: EventOptions,
): string[] {
  const lines: string[] = [];
  const head = `${paint.dim('·')} ${paint.bold(oneLine(now.id))}`;
  const known = new Set(before?.receipts.map(keyOf));
  const moved =
    before?.state !== now.state || before.step !== now.step || before.doing !== now.doing || before.paused !== now.paused;
  const started = before === null || (before.state === 'idle' && now.state !== 'idle');
  if (
    !quiet &&
    !inTree &&
    now.outcome === null &&
    now.state !== 'awaiting-steer' &&
    (detail === 'every step' ? moved : started && now.state !== 'idle')
  )
    lines.push(`${head} ${now.type} ${statusLine(now, paint)}`);
  if (now.paused !== (before?.paused ?? false) && detail === 'news' && !inTree)
    lines.push(`${head} ${now.paused ? 'paused' : 'resumed'}`);
  for (const receipt of now.receipts) {
    const worthTelling = detail === 'every step' || receipt.fate === 'applied' || receipt.fate === 'returned';
    if (!known.has(keyOf(receipt)) && worthTelling && !skipReceipt(receipt.steer))
      lines.push(`  ${receiptLine(now.id, receipt, paint)}`);
  }
  // The first backend of a task is worth a line only at `every step`; a change of backend is always worth one.
  const isFirstRoute = (before?.backend ?? null) === null;
  if (!quiet && now.note && now.note !== before?.note && (detail === 'every step' || !isFirstRoute))
    lines.push(`${head} ${oneLine(now.note, 400)}`);
  const told = before?.question?.id ?? toldQuestion;
  if (now.question && now.outcome === null && now.question.id !== told)
    lines.push(
      ...questionLines(now.id, now.question, paint, answerWith, place && { ...place, showWith: showing(now.id, answerWith) }),
    );
  return lines;
}

export function liveLines(id: TaskId, live: Live, paint: Paint): string[] {
  const text = printable(live.text);
  if (text.trim() === '') return [];
  const from = paint.dim(`  ${id}${live.type === 'tool' ? ` ${oneLine(live.tool)}` : ''} │ `);
  return withoutTail(text, '\n')
    .split('\n')
    .map((line) => `${from}${line}`);
}

/** @param whole whether the full answer, or the full salvage, follows the first line. */
export function resultLines(result: Result, paint: Paint, whole: boolean, wrap = (text: string) => text.split('\n')): string[] {
  if (result.outcome !== 'completed') return whole ? salvageLines(result, paint) : [endLine(result, paint)];
  if (!whole) return [endLine(result, paint)];
  const head = endLine({ ...result, output: null }, paint);
  return [head, '', ...wrap(printable(result.output ?? '')), ''];
}

const showing = (id: string, answerWith: string): string => `${answerWith.replace(/answer$/, 'status')} ${id}`;

const keyOf = ({ steer, fate }: { steer: string; fate: string }) => `${steer} ${fate}`;
