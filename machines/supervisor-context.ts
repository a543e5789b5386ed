/** What a supervisor can be told and what it remembers: the events and the context of its chart, as plain JSON. */
import type { Billing, Reservation, Slices } from './budget.ts';
import type { Carryover } from './carryover.ts';
import type { Command } from './commands.ts';
import type { Failure, Outcome, Question, Usage, UsageByBackend } from './conversation.ts';
import type { Directive, NodeSpec, Plan, Reduce } from './plan.ts';
import type { Ledger, Urgency } from './steering.ts';

/** Changes to a plan that is being carried out. */
export type PlanCommand =
  | { type: 'ADD'; id: string; node: NodeSpec }
  | { type: 'DROP'; id: string; key: string }
  /** Runs a sub-task again, perhaps with another instruction or on another backend; what depended on it is redone. */
  | { type: 'RERUN'; id: string; key: string; instruction?: string; backend?: string };
/** One child's end, by its number. The text stays on the bus. */
export interface Return {
  readonly child: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly failure: Failure | null;
  readonly usage: UsageByBackend;
  /** The backend it ended on, which `failover` leaves out; by default the one its node names. */
  readonly backend?: string;
  /** US dollars that its operator has added to its slice: new money, also for the goal. */
  readonly toppedUpUsd?: number;
}
/** Facts come from the effects and the host, never from the wire. */
type Fact =
  | Billing
  | { type: 'PLANNED'; nodes: readonly NodeSpec[]; reduce: Reduce; usage: Usage; backend: string }
  | { type: 'PLAN_FAILED'; error: Failure }
  /** In batches: as many as were there to be read. */
  | { type: 'CHILDREN_RETURNED'; returns: readonly Return[] }
  | { type: 'REDUCED'; answer: string; usage: Usage; backend: string }
  | { type: 'REDUCE_FAILED'; error: Failure }
  /** Cancelled children that have not confirmed in time are given up. */
  | { type: 'DRAIN_EXPIRED' }
  | { type: 'DEADLINE_PASSED' }
  | { type: 'RESTORED' };
export type SupervisorEvent = { type: 'START' } | Command | PlanCommand | Fact;

export interface SupervisorPolicy {
  /** How many children may run at once; at least 1. */
  readonly concurrency: number;
  readonly onFailure: Directive;
  /** Dispatches of one node before a failure is asked about; also tries of a plan or a reduction. */
  readonly maxAttempts: number;
  /** Milliseconds since the epoch, or null. */
  readonly deadlineAt: number | null;
  /** US dollars that the goal and all below it may cost; null: no limit. */
  readonly budgetUsd: number | null;
}

/** What running children must be told, in order; the host publishes each with a message id derived from `id` and the child, so that twice is once. */
export interface Relay {
  /** Id of the operator's steer, or `cancel` for the end of a tree. */
  readonly id: string;
  readonly kind: 'steer' | 'cancel';
  readonly text: string;
  readonly urgency: Urgency;
  readonly children: readonly number[];
}

export interface SupervisorContext {
  readonly instruction: string;
  readonly backend: string | null;
  readonly policy: SupervisorPolicy;
  readonly nodes: Plan;
  /** Null until there is a plan; a redirect takes the plan away, and leaves what has returned in `nodes`. */
  readonly reduce: Reduce | null;
  /** How many children were ever dispatched; the next is one more. */
  readonly children: number;
  /** Children that no node waits for any more: told to stop, not yet returned. */
  readonly stopping: readonly number[];
  readonly relays: readonly Relay[];
  /** Corrections so far: given to sub-tasks not yet started and to the reduction. */
  readonly corrections: readonly string[];
  readonly steers: Ledger;
  readonly question: (Question & { readonly key: string | null }) | null;
  /** Failed sub-tasks whose fate is the operator's to decide, in the order in which they are asked about. */
  readonly undecided: readonly string[];
  readonly paused: boolean;
  /** Counts decompositions and reductions. */
  readonly step: number;
  /** Of decompositions or reductions, in a row. */
  readonly failures: number;
  readonly lastFailure: Failure | null;
  readonly questions: number;
  /** How it will end; once set nothing new starts and running children are cancelled. */
  readonly ending: Outcome | null;
  readonly answer: string | null;
  /** An answer that a correction or a change of plan overtook. */
  readonly draft: string | null;
  /** Its own and its children's. */
  readonly usage: UsageByBackend;
  /** The request that is out, where its backend has a price: part of the commit before it is sent. */
  readonly reserved: Reservation | null;
  /** Set aside for children in the commit that starts them, until they return. Empty where there is no budget. */
  readonly slices: Slices;
  /** US dollars that operators have added to the budget, here and below. */
  readonly toppedUpUsd: number;
  readonly outcome: Outcome | null;
}
export type SupervisorInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'policy'> & { readonly earlier?: Carryover };
export type SupervisorOutput = Pick<SupervisorContext, 'outcome' | 'answer' | 'draft' | 'usage' | 'step'>;
/** Input of the `decompose` effect: sends PLANNED or PLAN_FAILED. `nodes`: what returned before a redirect; new nodes may come after them. */
export type DecomposeInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'corrections' | 'nodes' | 'step'>;
/** Input of the `reduce` effect: sends REDUCED or REDUCE_FAILED. Results are read from the bus by child number. */
export type ReduceInput = Pick<
  SupervisorContext,
  'instruction' | 'backend' | 'corrections' | 'nodes' | 'reduce' | 'draft' | 'step'
>;
/** Input of the `drain` effect: sends DRAIN_EXPIRED after the time that cancelled children are given. */
export type DrainInput = { readonly children: readonly number[] };
