/** The end of a goal: no new sub-task starts, and running children are told to stop. */
import type { Outcome } from './conversation.ts';
import * as plan from './plan.ts';
import * as ledger from './steering-ledger.ts';
import type { Relay, SupervisorContext } from './supervisor-context.ts';

export const wouldEnd = ({ answer }: SupervisorContext): boolean => answer !== null;

/** X. Running nodes keep their child numbers, so that results which children return while they stop still reach the plan. */
export function end(
  context: SupervisorContext,
  ending: Outcome,
  why = `the task has ended: ${ending.kind}`,
): Partial<SupervisorContext> {
  if (context.ending) return {};
  const children = plan.childrenOf(plan.all(context.nodes));
  const cancel: Relay = { id: 'cancel', kind: 'cancel', text: '', urgency: 'now', children };
  return {
    ending,
    question: null,
    steers: ledger.giveBack(context.steers, why),
    relays: children.length > 0 ? [...context.relays, cancel] : context.relays,
  };
}
