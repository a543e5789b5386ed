/**
 * A plan is a DAG of sub-tasks as plain data, by key. It is desired state, which the supervisor's host brings about on the bus.
 * Rules `attempt` and `concurrency` (docs/task-protocol.md).
 */
import type { Failure } from './conversation.ts';

/** A file that the sub-task must have written, or a JSON Schema that its answer must fit. */
export type Produced = { readonly file: string } | { readonly json: Readonly<Record<string, unknown>> };

export interface NodeSpec {
  readonly key: string;
  readonly type: string;
  readonly instruction: string;
  readonly needs: readonly string[];
  /** Keys of the sub-tasks whose results it is given. It starts when all of them are resolved. */
  readonly after: readonly string[];
  readonly backend: string | null;
  /** What the sub-task must have made when it ends. */
  readonly produces?: readonly Produced[] | undefined;
  /** What must be true of its answer, in words, and the backend that judges it. */
  readonly expect?: { readonly that: string; readonly backend: string | null } | undefined;
}
export interface PlanNode extends NodeSpec {
  readonly status: 'waiting' | 'running' | 'returned' | 'failed' | 'dropped';
  /** Number of dispatches so far. A return of an earlier attempt is stale. */
  readonly attempt: number;
  /** Number of the child task of the latest attempt. The supervisor's nth dispatch gets the number n. */
  readonly child: number | null;
  readonly failure: Failure | null;
  /** Backends on which it failed. `failover` leaves them out from then on. */
  readonly without: readonly string[];
  /** The latest dispatch carried this many of the goal's corrections, counted from the first. Later ones are relayed. */
  readonly corrections: number;
}
export type Plan = Readonly<Record<string, PlanNode>>;

/** The reducers in code. They ask no model. */
export const plainReducers = ['concat', 'effects', 'json', 'vote'] as const;
export type PlainReducer = (typeof plainReducers)[number];
export const isPlainReducer = (name: string): name is PlainReducer => (plainReducers as readonly string[]).includes(name);

export type Reduce =
  | { readonly by: 'orchestrator'; readonly instruction: string }
  | { readonly by: 'backend'; readonly backend: string; readonly instruction: string }
  | { readonly by: PlainReducer };

/** The reaction to a failed sub-task. `failover` is a retry without the backend that failed. */
export type Directive = 'retry' | 'failover' | 'ask' | 'skip' | 'escalate';

/** Maximum number of sub-tasks in one plan. */
export const maxNodes = 10_000;

export type PlanFault =
  | { readonly code: 'too-many'; readonly count: number }
  | { readonly code: 'duplicate-key'; readonly key: string }
  | { readonly code: 'unknown-after'; readonly key: string; readonly after: string }
  | { readonly code: 'cycle'; readonly keys: readonly string[] };

/**
 * The first fault of a plan; null for a sound plan.
 * @param known keys of sub-tasks that exist already.
 */
export function check(nodes: readonly NodeSpec[], known: readonly string[] = []): PlanFault | null {
  if (nodes.length + known.length > maxNodes) return { code: 'too-many', count: nodes.length + known.length };
  const byKey = new Map<string, NodeSpec>();
  for (const node of nodes) {
    if (byKey.has(node.key)) return { code: 'duplicate-key', key: node.key };
    byKey.set(node.key, node);
  }
  const old = new Set(known);
  for (const { key, after } of nodes) {
    const unknown = after.find((dependency) => !byKey.has(dependency) && !old.has(dependency));
    if (unknown !== undefined) return { code: 'unknown-after', key, after: unknown };
  }
  const left = unsortable(byKey);
  return left.length > 0 ? { code: 'cycle', keys: left } : null;
}

/** Removes nodes without dependencies until only cycles, and the nodes that depend on them, are left (Kahn's algorithm). */
function unsortable(byKey: ReadonlyMap<string, NodeSpec>): string[] {
  const waitsFor = new Map<string, number>();
  const unlocks = new Map<string, string[]>();
  for (const { key, after } of byKey.values()) {
    const inside = [...new Set(after)].filter((dependency) => byKey.has(dependency));
    waitsFor.set(key, inside.length);
    for (const dependency of inside) unlocks.set(dependency, [...(unlocks.get(dependency) ?? []), key]);
  }
  const free = [...waitsFor].filter(([, count]) => count === 0).map(([key]) => key);
  for (let key = free.pop(); key !== undefined; key = free.pop()) {
    waitsFor.delete(key);
    for (const next of unlocks.get(key) ?? []) {
      const count = waitsFor.get(next)! - 1;
      waitsFor.set(next, count);
      if (count === 0) free.push(next);
    }
  }
  return [...waitsFor.keys()];
}

export function explain(fault: PlanFault): string {
  switch (fault.code) {
    case 'too-many':
      return `the plan has ${fault.count} sub-tasks, at most ${maxNodes} are allowed`;
    case 'duplicate-key':
      return `two sub-tasks have the key ${fault.key}`;
    case 'unknown-after':
      return `${fault.key} comes after ${fault.after}, which is no sub-task of the plan`;
    case 'cycle':
      return `these sub-tasks wait for each other: ${fault.keys.join(', ')}`;
  }
}

export const planned = (spec: NodeSpec): PlanNode => ({
  ...spec,
  status: 'waiting',
  attempt: 0,
  child: null,
  failure: null,
  without: [],
  corrections: 0,
});

/** Listing the nodes of a large plan costs more than the work done with the list. A plan is immutable, so it is listed once. */
const listed = new WeakMap<Plan, readonly PlanNode[]>();
export function all(plan: Plan): readonly PlanNode[] {
  const known = listed.get(plan);
  if (known) return known;
  const nodes = Object.values(plan);
  listed.set(plan, nodes);
  return nodes;
}
/** A model chooses the keys: `constructor` must not find an inherited property. */
export const nodeOf = (plan: Plan, key: string): PlanNode | undefined => (Object.hasOwn(plan, key) ? plan[key] : undefined);
export const running = (plan: Plan): PlanNode[] => all(plan).filter(({ status }) => status === 'running');
/** Numbers of the children that run for these nodes. */
export const childrenOf = (nodes: readonly PlanNode[]): number[] =>
  nodes.flatMap(({ status, child }) => (status === 'running' && child !== null ? [child] : []));
export const put = (plan: Plan, ...changed: readonly PlanNode[]): Plan => ({
  ...plan,
  ...Object.fromEntries(changed.map((node) => [node.key, node])),
});

/** True if nothing more is expected of the node. A failure about which the operator has still to decide is not resolved. */
const isResolved = (node: PlanNode, undecided: readonly string[]) =>
  node.status !== 'waiting' && node.status !== 'running' && !(node.status === 'failed' && undecided.includes(node.key));
export const allResolved = (plan: Plan, undecided: readonly string[]): boolean =>
  all(plan).every((node) => isResolved(node, undecided));

const dependencies = (plan: Plan, { after }: PlanNode) =>
  after.flatMap((key) => {
    const dependency = nodeOf(plan, key);
    return dependency ? [dependency] : [];
  });
/** True if none of the node's dependencies returned a result and at least one of them failed. */
const isDoomed = (plan: Plan, node: PlanNode) => {
  const needed = dependencies(plan, node);
  return needed.some(({ status }) => status === 'failed') && !needed.some(({ status }) => status === 'returned');
};
/** True if all dependencies are resolved. The node runs without the results of those that failed or were dropped. */
const isUnblocked = (plan: Plan, node: PlanNode, undecided: readonly string[]) =>
  node.status === 'waiting' && dependencies(plan, node).every((dependency) => isResolved(dependency, undecided));

/**
 * The nodes that may start now, in the plan's order. At most `concurrency` nodes run at once; nodes that wait for their operator
 * are not counted.
 * @param waiting numbers of children that wait.
 */
export function ready(plan: Plan, undecided: readonly string[], concurrency: number, waiting: readonly number[]): PlanNode[] {
  const idle = new Set(waiting);
  const busy = running(plan).filter(({ child }) => child === null || !idle.has(child));
  const free = Math.max(0, Math.max(1, concurrency) - busy.length);
  const found: PlanNode[] = [];
  for (const node of all(plan)) {
    if (found.length === free) break;
    if (isUnblocked(plan, node, undecided) && !isDoomed(plan, node)) found.push(node);
  }
  return found;
}

export const doomed = (plan: Plan, undecided: readonly string[]): PlanNode[] =>
  all(plan).filter((node) => node.after.length > 0 && isUnblocked(plan, node, undecided) && isDoomed(plan, node));

/** Fails the nodes that can no longer get any result to work with, and then the nodes that depend only on those. */
export function failDoomed(plan: Plan, undecided: readonly string[]): Plan {
  let now = plan;
  for (let lost = doomed(now, undecided); lost.length > 0; lost = doomed(now, undecided)) {
    now = put(
      now,
      ...lost.map((node): PlanNode => {
        const message = `none of the sub-tasks that ${node.key} comes after returned a result: ${node.after.join(', ')}`;
        return { ...node, status: 'failed', failure: { code: 'dependency-failed', message, retryable: false } };
      }),
    );
  }
  return now;
}

/** The nodes that are given the result of `key`, directly or through other nodes. */
export function dependants(plan: Plan, key: string): PlanNode[] {
  const found = new Set([key]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const node of all(plan)) if (node.after.some((dependency) => found.has(dependency))) found.add(node.key);
  }
  found.delete(key);
  return all(plan).filter((node) => found.has(node.key));
}
