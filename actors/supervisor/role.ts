/** The role of a supervisor: its chart, its effects, its children on the bus, and its view for the bus. */
import type { SnapshotFrom } from 'xstate';
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { shortened, wholeOutput } from '../../bus/artifacts/long-text.ts';
import type { Bus } from '../../bus/bus.ts';
import type { PlanRow, Result, SteeringMessage, TaskSpec, TaskState } from '../../bus/messages.ts';
import { childOf } from '../../bus/task-id.ts';
import { outUsd } from '../../machines/budget.ts';
import { totalUsage } from '../../machines/conversation.ts';
import { all, childrenOf, type PlanNode, ready } from '../../machines/plan.ts';
import { supervisor, supervisorVersion } from '../../machines/supervisor.ts';
import type { DrainInput, SupervisorEvent, SupervisorInput } from '../../machines/supervisor-context.ts';
import type { Roster } from '../../roster/schema.ts';
import { swapProblem } from '../host/backend-swap.ts';
import { clipped } from '../host/clipped.ts';
import { deadline } from '../host/deadline.ts';
import { effect, ownEffect } from '../host/effect.ts';
import { listedEffects, maxSources } from '../host/listed-effects.ts';
import type { EffectHost, Found, HostedSnapshot, Role } from '../host/role.ts';
import { commandOf, isPlanChange, planCommandOf } from '../host/steering-commands.ts';
import { withWhole } from '../host/whole-answer.ts';
import { Children } from './children.ts';
import { decompose } from './decompose.ts';
import type { PlanOptions } from './plan-request.ts';
import { type NodeResult, reduce } from './reduce.ts';

type Snapshot = SnapshotFrom<typeof supervisor>;
const of = (snapshot: HostedSnapshot) => snapshot as unknown as Snapshot;

const hosted = supervisor.provide({
  actors: {
    decompose: ownEffect('decompose'),
    reduce: ownEffect('reduce'),
    drain: ownEffect('drain'),
    deadline: ownEffect('deadline'),
  },
});

export interface SupervisorRoleOptions extends PlanOptions {
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly now: () => Date;
  /** How long a goal that ends waits for its cancelled children to confirm, in milliseconds. */
  readonly drainMs: number;
}

export function supervisorRole(host: EffectHost, options: SupervisorRoleOptions): Role {
  const { bus, artifacts, now, roster, drainMs } = options;
  const { spec } = host;
  const children = new Children(bus, host, now);
  const { concurrency, onFailure, maxAttempts } = roster().supervision;
  const deadlineAt = spec.deadlineAt === null ? null : Date.parse(spec.deadlineAt);
  const input: SupervisorInput = {
    instruction: spec.instruction,
    backend: spec.backend,
    policy: { concurrency, onFailure, maxAttempts, deadlineAt, budgetUsd: budgetOf(spec, roster()) },
    allowed: spec.allowed ?? [],
    ...(host.carryover && { earlier: host.carryover }),
  };
  const outcomes = (nodes: readonly PlanNode[]) => children.outcomes(nodes);
  return {
    machine: { id: supervisor.id, version: supervisorVersion },
    logic: hosted,
    effects: {
      decompose: decompose(host, options),
      reduce: reduce(host, {
        ...options,
        outcomes,
        whole: (result) => wholeOutput(artifacts, result),
        shortened: (text, signal) => shortened(artifacts, host.id, text, signal),
      }),
      drain: drain(drainMs),
      deadline: deadline(now),
    },
    input,
    parks: (snapshot) => {
      const state = of(snapshot).value;
      const waits = state === 'awaiting-steer' || (typeof state === 'object' && state.gathering === 'collecting');
      return waits ? 'when-quiet' : 'no';
    },
    mustFinish: () => false,
    deadlineAt: () => deadlineAt,
    eventOf: (steer, message) => {
      const refused = refusal(message, options);
      if (refused !== null) return { refused };
      return { event: isPlanChange(message) ? planCommandOf(steer, message) : commandOf(steer, message) };
    },
    progress: (snapshot) => {
      const { nodes, steers, children, answer } = of(snapshot).context;
      return `${children} ${all(nodes).filter(({ status }) => status !== 'running').length} ${steers.length} ${answer !== null}`;
    },
    view: (snapshot) => {
      const { context } = of(snapshot);
      const plan = all(context.nodes).map((node) => rowOf(host.id, node));
      return {
        state: stateOf(of(snapshot)),
        usage: totalUsage(context.usage),
        outUsd: outUsd(context),
        children: context.children,
        plan,
        outcome: context.outcome?.kind ?? null,
        ...(plan.length > 0 && { subTasks: countOf(plan) }),
      };
    },
    result: async (snapshot) => {
      const { nodes, children: count } = of(snapshot).context;
      const results = await children.everyResult(count);
      const found = { ...resultOf(of(snapshot), await outcomes(all(nodes))), ...doneBelow(results) };
      return withWhole(artifacts, host.id, found);
    },
    news: async (snapshot, after) => {
      if (of(snapshot).context.children === 0) return { events: [], cursor: after };
      const { returns, cursor } = await children.returns(after, of(snapshot).context.children);
      return { events: returns.length > 0 ? [{ type: 'CHILDREN_RETURNED', returns }] : [], cursor };
    },
    waiting: async (snapshot) => {
      const { nodes, undecided, waiting } = of(snapshot).context;
      // Only a sub-task that could start makes the reads worth their time.
      if (ready(nodes, undecided, Number.POSITIVE_INFINITY, []).length === 0) return [];
      const busy = childrenOf(all(nodes)).filter((child) => !waiting.includes(child));
      const found = await children.waiting(busy);
      return found.length > 0 ? [{ type: 'CHILDREN_WAIT', children: found }] : [];
    },
    reconcile: (snapshot) => children.reconcile(of(snapshot).context),
  };
}

/** US dollars that a goal may cost; null for no limit. A goal below another goal has a slice of that goal's budget. */
export const budgetOf = ({ limits }: Pick<TaskSpec, 'limits'>, { budgets }: Pick<Roster, 'budgets'>): number | null =>
  limits.costUsd ?? budgets.goalUsd;

const drain = (ms: number) =>
  effect<DrainInput, SupervisorEvent>(
    async (_, say, signal) => {
      const timer = setTimeout(() => say({ type: 'DRAIN_EXPIRED' }), ms);
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    },
    () => ({ type: 'DRAIN_EXPIRED' }),
  );

const stateOf = ({ value }: Snapshot): TaskState => {
  const top = typeof value === 'string' ? value : Object.keys(value)[0]!;
  return (top === 'deciding' ? 'gathering' : top) as TaskState;
};

const rowOf = (id: string, { key, type, instruction, after, status, child }: PlanNode): PlanRow => ({
  key,
  type,
  instruction,
  after: [...after],
  status,
  id: child === null ? null : childOf(id, child),
});

const countOf = (plan: readonly PlanRow[]) => {
  const count = { waiting: 0, running: 0, returned: 0, failed: 0, dropped: 0 };
  for (const { status } of plan) count[status]++;
  return count;
};

/** Why a goal cannot take this message: it names a kind or a backend that is not there. Null if it can. */
function refusal(message: SteeringMessage, { backends, kinds }: SupervisorRoleOptions): string | null {
  if (message.type === 'swap') return swapProblem(message.backend, backends, true);
  if (message.type === 'rerun') return message.backend === undefined ? null : swapProblem(message.backend, backends);
  if (message.type !== 'add') return null;
  const known = kinds().map(({ name }) => name);
  return known.includes(message.task.type) ? null : `there is no kind ${message.task.type}; there are ${known.join(', ')}`;
}

/** Effects and sources of the tasks below. Attempts whose results do not count are included: they changed files all the same. */
function doneBelow(results: readonly Result[]): Pick<Result, 'effects' | 'effectsLeftOut' | 'sources'> {
  const effects = results.flatMap(({ id, effects = [] }) => effects.map((effect) => ({ ...effect, task: effect.task ?? id })));
  const notListed = results.reduce((sum, { effectsLeftOut = 0 }) => sum + effectsLeftOut, 0);
  const listed = listedEffects(effects);
  const leftOut = (listed.effectsLeftOut ?? 0) + notListed;
  return {
    effects: listed.effects,
    ...(leftOut > 0 && { effectsLeftOut: leftOut }),
    sources: [...new Set(results.flatMap(({ sources = [] }) => sources))].slice(0, maxSources),
  };
}

function resultOf({ context }: Snapshot, outcomes: readonly NodeResult[]): Found {
  const { outcome, answer, draft, step, usage, toppedUpUsd, instruction } = context;
  const isCompleted = outcome?.kind === 'completed';
  const left = outcomes.filter(({ node: { status } }) => status !== 'returned' && status !== 'dropped');
  return {
    outcome: outcome?.kind ?? 'failed',
    output: isCompleted ? answer : null,
    failure: outcome?.kind === 'failed' ? { code: outcome.code, message: outcome.message, retryable: outcome.retryable } : null,
    salvage: {
      findings: [
        ...(draft ? [draft] : []),
        ...outcomes.flatMap(({ node, result }) => (result ? foundBy(result).map((text) => `${node.key}: ${text}`) : [])),
      ],
      remaining: isCompleted ? null : left.length > 0 ? left.map(leftOf).join('\n') : instruction,
      artifacts: [...new Set(outcomes.flatMap(({ result }) => result?.salvage.artifacts ?? []))],
      steps: step,
    },
    usage: totalUsage(usage),
    usageByBackend: { ...usage },
    ...(toppedUpUsd > 0 && { toppedUpUsd }),
  };
}

/** A sub-task that has a result knows its instruction of the end; a redirect of the sub-task has not changed the plan. */
const leftOf = ({ node: { key, instruction }, result }: NodeResult): string =>
  `${key}: ${inOneLine(result?.salvage.remaining ?? instruction)}`;

const inOneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');

/** The output of a sub-task, or its last findings if it was stopped. */
function foundBy({ id, output, salvage: { findings } }: Result): readonly string[] {
  if (output) return [clipped(output)];
  const earlier = findings.length - mostFound;
  return [
    ...(earlier > 0 ? [`[${earlier} earlier ${earlier === 1 ? 'finding is' : 'findings are'} in the result of ${id}]`] : []),
    ...findings.slice(-mostFound).map((text) => clipped(text)),
  ];
}
const mostFound = 3;
