/** What a supervisor's commands and facts do to its plan, its children and its ledger: pure functions on its context. */
import { inDoubt, leftUsd, type Slices, shareOf, without } from './budget.ts';
import type { Carryover } from './carryover.ts';
import { type Command, entryOf } from './commands.ts';
import type { Failure, Outcome } from './conversation.ts';
import { mergeUsage, spend } from './conversation.ts';
import type { Directive, PlanNode, Reduce } from './plan.ts';
import * as plan from './plan.ts';
import type { LedgerEntry } from './steering.ts';
import * as ledger from './steering.ts';
import type { PlanCommand, Relay, Return, SupervisorContext, SupervisorEvent } from './supervisor-context.ts';

export const isPlanCommand = (event: SupervisorEvent): event is PlanCommand => ['ADD', 'DROP', 'RERUN'].includes(event.type);

/** A change of the plan as the ledger keeps it. */
export function entryFor(event: Command | PlanCommand): LedgerEntry {
  if (!isPlanCommand(event)) return entryOf(event);
  const key = event.type === 'ADD' ? event.node.key : event.key;
  return { id: event.id, kind: 'plan', text: `${event.type.toLowerCase()} ${key}` };
}

export const childrenOf = (nodes: readonly PlanNode[]) =>
  nodes.flatMap(({ status, child }) => (status === 'running' && child !== null ? [child] : []));
/** Nobody thinks in it, so it can't take a correction up. */
export const isPlain = (reduce: Reduce | null) => reduce !== null && reduce.by !== 'orchestrator' && reduce.by !== 'backend';
export const isUnresolved = ({ nodes, undecided }: SupervisorContext) => !plan.allResolved(nodes, undecided);
export const wouldEnd = ({ answer }: SupervisorContext) => answer !== null;

/** US dollars that nobody has spent and nothing is set aside for; null: no limit. */
export const unspent = (context: SupervisorContext): number | null => {
  const { budgetUsd } = context.policy;
  return leftUsd(budgetUsd === null ? null : budgetUsd + context.toppedUpUsd, context);
};

/** With what is set aside for children that start now, of all that wait. */
export function setAside(context: SupervisorContext, starting: readonly PlanNode[]): Slices {
  if (context.policy.budgetUsd === null) return context.slices;
  const waiting = plan.all(context.nodes).filter(({ status }) => status === 'waiting').length;
  const share = shareOf(unspent(context), waiting) ?? 0;
  return { ...context.slices, ...Object.fromEntries(starting.map(({ child }) => [child, share])) };
}

/** Who does not confirm that they have stopped may spend all that they were given. */
export const countUnconfirmed = ({ usage, slices }: SupervisorContext): Pick<SupervisorContext, 'usage' | 'slices'> => {
  const given = Object.values(slices).reduce((sum, each) => sum + each, 0);
  return { usage: given > 0 ? spend(usage, 'unconfirmed', inDoubt(given)) : usage, slices: {} };
};

/** Why the plan can't be changed so; null where it can. */
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

/** Takes running children away from their nodes: they are told to stop, and what they return only counts as spent. */
export function stop(
  context: SupervisorContext,
  nodes: readonly PlanNode[],
  id: string,
): Pick<SupervisorContext, 'stopping' | 'relays'> {
  const children = childrenOf(nodes);
  if (children.length === 0) return { stopping: context.stopping, relays: context.relays };
  return {
    stopping: [...context.stopping, ...children],
    relays: [...context.relays, { id, kind: 'cancel', text: '', urgency: 'now', children }],
  };
}

/** X. Running nodes keep their children, so that what those return on the way out is not lost. */
export function end(
  context: SupervisorContext,
  ending: Outcome,
  why = `the task has ended: ${ending.kind}`,
): Partial<SupervisorContext> {
  if (context.ending) return {};
  const children = childrenOf(plan.all(context.nodes));
  const cancel: Relay = { id: 'cancel', kind: 'cancel', text: '', urgency: 'now', children };
  return {
    ending,
    question: null,
    steers: ledger.giveBack(context.steers, why),
    relays: children.length > 0 ? [...context.relays, cancel] : context.relays,
  };
}

/** Queued corrections that the model call of `step` sees; a redirect is seen as the instruction. */
export function takeUp(
  context: SupervisorContext,
  step: number,
  atEnd: boolean,
): Pick<SupervisorContext, 'steers' | 'corrections'> {
  const texts = ledger.due(context.steers, atEnd).flatMap(({ kind, text }) => (kind === 'redirect' ? [] : [text]));
  return { steers: ledger.apply(context.steers, step, atEnd), corrections: [...context.corrections, ...texts] };
}

/** What the directive makes of a failure; `ask` where retrying is pointless or was tried often enough. */
function directiveFor({ policy }: SupervisorContext, { attempt }: PlanNode, failure: Failure): Directive {
  const retries = policy.onFailure === 'retry' || policy.onFailure === 'failover';
  return retries && (!failure.retryable || attempt >= policy.maxAttempts) ? 'ask' : policy.onFailure;
}

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
    // A child that an operator cancelled is not started again behind their back.
    const directive = context.ending || outcome === 'cancelled' ? 'skip' : directiveFor(context, node, why);
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

/** A goal that begins again is planned anew, as after a redirect: what has returned counts, what runs is told to stop, numbers go on. */
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

/** Questions about what is done anew are closed, those about the whole too. */
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
    ...(event.backend !== undefined && { backend: event.backend, without: [] }),
  };
  const redone = [retargeted, ...stale].map((each): PlanNode => ({ ...each, status: 'waiting', failure: null }));
  return {
    ...reopen(context, new Set(redone.map(({ key }) => key))),
    ...stop(context, [node, ...stale], event.id),
    nodes: plan.put(context.nodes, ...redone),
  };
}
