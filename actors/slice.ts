/** Budgets flow down (PROTOCOL line 17): what a goal may spend is shared out among its sub-tasks as they start. */
import { totalUsage } from '../machines/conversation.ts';
import type { SupervisorContext } from '../machines/goal.ts';
import { all } from '../machines/plan.ts';

/**
 * US dollars that a sub-task which starts now may cost: an equal share of what is left, among all that have not returned and the goal's own
 * calls. What a returned one has saved makes later shares larger; so none that is out is larger than one given now, and together they stay
 * within the budget. Only sub-tasks that are added later make the shares smaller than those already out.
 * @param budgetUsd of the goal; null: no limit.
 */
export function sliceOf(budgetUsd: number | null, { nodes, usage }: Pick<SupervisorContext, 'nodes' | 'usage'>): number | null {
  if (budgetUsd === null) return null;
  const left = Math.max(0, budgetUsd - totalUsage(usage).costUsd);
  const open = all(nodes).filter(({ status }) => status === 'waiting' || status === 'running');
  return left / (open.length + 1);
}
