/**
 * Receipts are derived from the changes of the steering ledger between two commits, so that they report only durable changes.
 * Rule `receipts` (docs/task-protocol.md).
 */
import type { PlanRow, Receipt } from '../../bus/messages.ts';
import { childOf } from '../../bus/task-id.ts';
import { type Steer, steerKinds } from '../../machines/steering-ledger.ts';
import { changeMade } from './change-made.ts';

/** Where a steer came from: its log sequence, and in a crew with roles the member who has signed it. */
export interface Origin {
  readonly seq: number;
  readonly by?: string | undefined;
}
export type Inbox = readonly ({ readonly steer: string; readonly kind: string } & Origin)[];

const isFinal = ({ fate }: Steer) => fate !== 'queued';

/**
 * @param origins of every steer that may be new or open.
 * @param plan the plan that this commit writes. Only a change of a plan needs it.
 * @returns the receipts this commit owes, and the steers that stay open after it.
 */
export function receiptsOf(
  task: string,
  before: readonly Steer[],
  after: readonly Steer[],
  origins: ReadonlyMap<string, Origin>,
  plan: () => readonly PlanRow[],
): { receipts: Receipt[]; inbox: Inbox } {
  const was = new Map(before.map((steer) => [steer.id, steer]));
  const receipts: Receipt[] = [];
  const originOf = (id: string): Origin => origins.get(id) ?? { seq: 0 };
  for (const steer of after) {
    const earlier = was.get(steer.id);
    if (earlier?.fate === steer.fate) continue;
    const base = { steer: steer.id, kind: steer.kind, ...originOf(steer.id) };
    if (!earlier) receipts.push({ ...base, fate: 'accepted' });
    // A message for the model gets a `queued` receipt first, even if the same commit applies it.
    const isQueued = !isFinal(steer) || (steer.fate === 'applied' && steerKinds[steer.kind].isQueued);
    if (!earlier && isQueued)
      receipts.push({ ...base, fate: 'queued', ...(!isFinal(steer) && steer.reason && { reason: steer.reason }) });
    const reason = steer.reason ?? (steer.fate === 'applied' ? changeMade(steer, plan) : undefined);
    if (isFinal(steer))
      receipts.push({
        ...base,
        fate: steer.fate,
        ...(steer.fate === 'applied' && steer.step !== undefined && { step: steer.step }),
        ...(reason && { reason }),
        ...(steer.reached && { reached: steer.reached.map((n) => childOf(task, n)) }),
      });
  }
  const inbox = after.filter((steer) => !isFinal(steer)).map(({ id, kind }) => ({ steer: id, kind, ...originOf(id) }));
  return { receipts, inbox };
}
