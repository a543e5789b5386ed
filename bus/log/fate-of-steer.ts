/** What becomes of a steer whose final receipt does not come, so that nobody waits for it for ever (rule `receipts-end`). */
import { CoxError } from '../../platform/errors.ts';
import { answered, lookMs } from '../away.ts';
import type { Bus } from '../bus.ts';
import type { Receipt } from '../messages.ts';
import { pause } from '../pause.ts';
import { returned } from '../state/state-record.ts';
import { readState } from '../state/state-store.ts';
import type { TaskId } from '../task-id.ts';
import { isReceiptOf } from './receipts-told.ts';

/** Looks at a task that has ended, after which no node that would return a later steer is waited for. */
const mostEnded = 3;

/**
 * Resolves with the final receipt of a steer to a task that has ended, if its record covers the steer and the log does not tell
 * of it, or if no node has returned the steer for some seconds: a node that comes later can only return it too. Resolves with null
 * when `signal` fires.
 * @throws CoxError `unknown-task` if the task is removed meanwhile; `bus-away`, `bus-closed`.
 */
export async function fateOfSteer(
  bus: Bus,
  id: TaskId,
  { steer, seq }: { readonly steer: string; readonly seq: number },
  signal: AbortSignal,
): Promise<Receipt | null> {
  let isKnown = false;
  for (let covered = 0, ended = 0; !signal.aborted; ) {
    const stored = await answered(readState(bus, id));
    if (!stored && isKnown)
      throw new CoxError('unknown-task', `${id} was removed before it told what became of the message`, {
        hint: 'Finished tasks are removed by age and by size: see `retention` in the roster.',
      });
    isKnown = stored !== null;
    const record = stored?.record;
    if (record?.phase === 'done') ended++;
    if (record?.phase === 'done' && record.steeringCursor >= seq) covered++;
    // The receipt may be on its way at the first look.
    if (covered > 1 || ended > mostEnded) {
      const told = record!.last?.receipts.find((it) => isReceiptOf(it, { steer, seq }) && it.fate !== 'accepted');
      return told ?? returned(steer, 'unknown', seq, `the task has ended: ${record!.result?.outcome}`);
    }
    await pause(lookMs, signal).catch(() => {});
  }
  return null;
}
