/** Decides which corrections of a goal reach a model call or a sub-task. */
import type { Reduce } from './plan.ts';
import * as plan from './plan.ts';
import * as ledger from './steering-ledger.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** True for a reducer in code. It asks no model, so a correction cannot reach the reduction. */
export const isPlain = (reduce: Reduce | null): boolean =>
  reduce !== null && reduce.by !== 'orchestrator' && reduce.by !== 'backend';

/** True while some sub-task is not resolved, so that a correction can still reach it. */
export const isUnresolved = ({ nodes, undecided }: SupervisorContext): boolean => !plan.allResolved(nodes, undecided);

/** Applies the queued corrections for the model call of `step`. The call sees a redirect as its instruction. */
export function takeUp(
  context: SupervisorContext,
  step: number,
  atEnd: boolean,
): Pick<SupervisorContext, 'steers' | 'corrections'> {
  const texts = ledger.due(context.steers, atEnd).flatMap(({ kind, text }) => (kind === 'redirect' ? [] : [text]));
  return { steers: ledger.apply(context.steers, step, atEnd), corrections: [...context.corrections, ...texts] };
}
