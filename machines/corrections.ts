/** Which corrections of a goal reach a model call or a sub-task. */
import type { Reduce } from './plan.ts';
import * as plan from './plan.ts';
import * as ledger from './steering.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** No model reduces the results, so a correction cannot reach the reduction. */
export const isPlain = (reduce: Reduce | null): boolean =>
  reduce !== null && reduce.by !== 'orchestrator' && reduce.by !== 'backend';

/** Some sub-task has not come to its end, so a correction can still reach it. */
export const isUnresolved = ({ nodes, undecided }: SupervisorContext): boolean => !plan.allResolved(nodes, undecided);

/** Queued corrections that the model call of `step` sees; a redirect is seen as the instruction. */
export function takeUp(
  context: SupervisorContext,
  step: number,
  atEnd: boolean,
): Pick<SupervisorContext, 'steers' | 'corrections'> {
  const texts = ledger.due(context.steers, atEnd).flatMap(({ kind, text }) => (kind === 'redirect' ? [] : [text]));
  return { steers: ledger.apply(context.steers, step, atEnd), corrections: [...context.corrections, ...texts] };
}
