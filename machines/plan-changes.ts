/** Changes by an operator to a plan that is being executed: sub-tasks are added, dropped, run again, or planned anew. */
import type { Carryover } from './carryover.ts';
import type { PlanNode } from './plan.ts';
import * as plan from './plan.ts';
import type { LedgerEntry } from './steering-ledger.ts';
import type { PlanCommand, Relay, SupervisorContext, SupervisorEvent } from './supervisor-context.ts';
import { type Command, entryOf } from './task-commands.ts';

export const isPlanCommand = (event: SupervisorEvent): event is PlanCommand => ['ADD', 'DROP', 'RERUN'].includes(event.type);

/** The ledger entry of a command or of a plan change. */
export function entryFor(event: Command | PlanCommand): LedgerEntry {
  if (!isPlanCommand(event)) return entryOf(event);
  const key = event.type === 'ADD' ? event.node.key : event.key;
  const where = event.type === 'RERUN' && event.backend !== undefined ? ` on ${event.backend}` : '';
  return { id: event.id, kind: 'plan', text: `${event.type.toLowerCase()} ${key}${where}` };
}

/** The reason why this change of the plan is not possible; null where it is possible. */
export function objection({ nodes, reduce }: SupervisorContext, event: PlanCommand): string | null {
  if (reduce === null) return 'there is no plan yet';
  if (event.type === 'ADD') {
    if (plan.nodeOf(nodes, event.node.key)) return `the plan has a sub-task ${event.node.key} already`;
    const fault = plan.check([event.node], Object.keys(nodes));
    return fault && plan.explain(fault);
  }
  const node = plan.nodeOf(nodes, event.key);
  if (!node) return `the plan has no sub-task ${event.key}`;
  return event.type === 'DROP' && node.status === 'dropped' ? `${event.key} is dropped already` : null;
}

/** Tells the running children of these nodes to stop. No node waits for them any more; of their returns only the cost counts. */
export function stop(
  context: SupervisorContext,
  nodes: readonly PlanNode[],
  id: string,
): Pick<SupervisorContext, 'stopping' | 'relays'> {
  const children = plan.childrenOf(nodes);
  if (children.length === 0) return { stopping: context.stopping, relays: context.relays };
  return {
    stopping: [...context.stopping, ...children],
    relays: [...context.relays, { id, kind: 'cancel', text: '', urgency: 'now', children }],
  };
}

/** Closes a question that the change makes obsolete: one about a node in `keys`, or one about the whole goal. */
export function reopen(context: SupervisorContext, keys: ReadonlySet<string>): Partial<SupervisorContext> {
  const { question, undecided } = context;
  const closes = question !== null && (question.key === null || keys.has(question.key));
  return {
    undecided: undecided.filter((key) => !keys.has(key)),
    ...(closes && { question: null, failures: 0, lastFailure: null }),
  };
}

export function changePlan(context: SupervisorContext, event: PlanCommand): Partial<SupervisorContext> {
  if (event.type === 'ADD') return { ...reopen(context, new Set()), nodes: plan.put(context.nodes, plan.planned(event.node)) };
  const node = context.nodes[event.key]!;
  if (event.type === 'DROP') {
    const nodes = plan.put(context.nodes, { ...node, status: 'dropped' });
    return { ...reopen(context, new Set([node.key])), ...stop(context, [node], event.id), nodes };
  }
  const stale = plan.dependants(context.nodes, node.key).filter(({ status }) => status !== 'dropped');
  const retargeted: PlanNode = {
    ...node,
    instruction: event.instruction ?? node.instruction,
    // The operator's new instruction says what is to be made.
    ...(event.instruction !== undefined && { produces: undefined, expect: undefined }),
    ...(event.backend !== undefined && { backend: event.backend, without: [] }),
  };
  const redone = [retargeted, ...stale].map((each): PlanNode => ({ ...each, status: 'waiting', failure: null }));
  return {
    ...reopen(context, new Set(redone.map(({ key }) => key))),
    ...stop(context, [node, ...stale], event.id),
    nodes: plan.put(context.nodes, ...redone),
  };
}

/**
 * The context of a goal that begins again. It is planned anew, as after a redirect: returned results count, running children are
 * told to stop, and the counters continue.
 */
export function takenOver(earlier: Carryover): Partial<SupervisorContext> {
  const { instruction, corrections, steers, step, questions, usage, toppedUpUsd, slices, children } = earlier;
  const { returned, running, found } = earlier;
  const nodes = returned.map(
    ({ child, ...spec }): PlanNode => ({ ...plan.planned(spec), status: 'returned', attempt: 1, child }),
  );
  const cancel: Relay = { id: `again-${children}`, kind: 'cancel', text: '', urgency: 'now', children: running };
  return {
    ...{ instruction, corrections, steers, step, questions, usage, toppedUpUsd, slices, children },
    draft: found.at(-1) ?? null,
    nodes: plan.put({}, ...nodes),
    stopping: running,
    relays: running.length > 0 ? [cancel] : [],
  };
}
