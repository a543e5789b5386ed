/**
 * All that can be seen of a supervisor from outside: status, plan, receipts, messages to its children and the inputs of its
 * effects.
 */
import type { Reservation, Slices } from '../../../machines/budget.ts';
import type { Outcome, Question, UsageByBackend } from '../../../machines/conversation.ts';
import type { Plan } from '../../../machines/plan.ts';
import type { Steer } from '../../../machines/steering-ledger.ts';
import type {
  DecomposeInput,
  DrainInput,
  ReduceInput,
  Relay,
  SupervisorContext,
  SupervisorOutput,
} from '../../../machines/supervisor-context.ts';
import { leaf } from '../coverage.ts';
import type { Rig } from '../rig.ts';

export type State = 'idle' | 'decomposing' | 'collecting' | 'stopping' | 'awaiting-steer' | 'reducing' | 'done';
export type Seen =
  | { readonly began: 'decompose'; readonly input: DecomposeInput }
  | { readonly began: 'reduce'; readonly input: ReduceInput }
  | { readonly began: 'drain'; readonly input: DrainInput }
  | { readonly ended: 'decompose' | 'reduce' | 'drain' };

export interface Observation {
  readonly state: State;
  readonly step: number;
  readonly paused: boolean;
  readonly question: (Question & { readonly key: string | null }) | null;
  readonly receipts: readonly Pick<Steer, 'id' | 'kind' | 'fate' | 'step' | 'reason' | 'reached'>[];
  readonly plan: Plan;
  /** Messages to children, in order. */
  readonly relays: readonly Relay[];
  /** Tools that sub-tasks which start later may use without asking. */
  readonly allowed: readonly string[];
  readonly usage: UsageByBackend;
  readonly reserved: Reservation | null;
  readonly slices: Slices;
  readonly toppedUpUsd: number;
  readonly outcome: Outcome | null;
  readonly output: SupervisorOutput | null;
  readonly seen: readonly Seen[];
  readonly armed: ReadonlySet<string> | null;
}

/** The part of the state that chooses the next event. */
export interface Look {
  readonly state: State;
  readonly paused: boolean;
  readonly question: Observation['question'];
  readonly planned: boolean;
  readonly keys: readonly string[];
  /** Children that have not returned yet. */
  readonly live: readonly number[];
  readonly children: number;
  readonly commands: number;
}
export interface Snap {
  readonly value: unknown;
  readonly context: SupervisorContext;
}

export const stateOf = ({ value }: Pick<Snap, 'value'>): State => leaf(value).split('.').at(-1) as State;

export function look(snapshot: Snap): Look {
  const { paused, question, reduce, nodes, stopping, children, steers } = snapshot.context;
  const running = Object.values(nodes).flatMap(({ status, child }) => (status === 'running' && child !== null ? [child] : []));
  return {
    state: stateOf(snapshot),
    paused,
    question,
    planned: reduce !== null,
    keys: Object.keys(nodes),
    live: [...stopping, ...running],
    children,
    commands: steers.length,
  };
}

export function observe(rig: Rig): Observation {
  const { value, context, output }: Snap & { output?: SupervisorOutput } = rig.snapshot;
  const { step, paused, question, steers, nodes, relays, usage, reserved, slices, toppedUpUsd, outcome, allowed } = context;
  return {
    state: stateOf({ value }),
    step,
    paused,
    question,
    receipts: steers,
    plan: nodes,
    relays,
    allowed,
    usage,
    reserved,
    slices,
    toppedUpUsd,
    outcome,
    output: output ?? null,
    seen: rig.seen.filter((each) => ('began' in each ? each.began : each.ended) !== 'deadline') as Seen[],
    armed: new Set(rig.inFlight.keys()),
  };
}
