/** Records the ends of child tasks in a goal's plan and in its books. */
import { without } from './budget.ts';
import { type Failure, mergeUsage } from './conversation.ts';
import { directiveFor } from './failure-directive.ts';
import { end } from './goal-end.ts';
import type { PlanNode } from './plan.ts';
import * as plan from './plan.ts';
import type { Return, SupervisorContext } from './supervisor-context.ts';

export function recordReturns(context: SupervisorContext, returns: readonly Return[]): Partial<SupervisorContext> {
  const byChild = new Map(plan.running(context.nodes).map((node) => [node.child, node]));
  const stopping = new Set(context.stopping);
  const changed: PlanNode[] = [];
  const undecided = [...context.undecided];
  let usage = context.usage;
  let { toppedUpUsd } = context;
  const back: number[] = [];
  let escalated: Failure | null = null;
  for (const { child, outcome, failure, usage: spent, backend, toppedUpUsd: more = 0 } of returns) {
    const node = byChild.get(child);
    if (!node && !stopping.has(child)) continue;
    usage = mergeUsage(usage, spent);
    toppedUpUsd += more;
    back.push(child);
    stopping.delete(child);
    if (!node) continue;
    byChild.delete(child);
    if (outcome === 'completed') {
      changed.push({ ...node, status: 'returned' });
      continue;
    }
    const why = failure ?? { code: outcome, message: `${node.key} was ${outcome}`, retryable: false };
    const failed: PlanNode = { ...node, status: 'failed', failure: why };
    // A child that an operator cancelled must not be started again without asking.
    const directive = context.ending || outcome === 'cancelled' ? 'skip' : directiveFor(context.policy, node, why);
    if (directive === 'escalate') escalated ??= why;
    if (directive === 'ask') undecided.push(node.key);
    const leftOut = directive === 'failover' ? [backend ?? node.backend].filter((name) => name !== null) : [];
    const again = directive === 'retry' || directive === 'failover';
    changed.push(again ? { ...failed, status: 'waiting', without: [...new Set([...node.without, ...leftOut])] } : failed);
  }
  const slices = context.policy.budgetUsd === null ? context.slices : without(context.slices, back);
  const now = { nodes: plan.put(context.nodes, ...changed), usage, slices, toppedUpUsd, undecided, stopping: [...stopping] };
  return escalated ? { ...now, ...end({ ...context, ...now }, { kind: 'failed', ...escalated }) } : now;
}
