/** The events and the context of the supervisor's chart, as plain JSON. */
import type { Billing, Reservation, Slices } from './budget.ts';
import type { Carryover } from './carryover.ts';
import type { Failure, Outcome, Question, Usage, UsageByBackend } from './conversation.ts';
import type { Directive, NodeSpec, Plan, Reduce } from './plan.ts';
import type { Ledger, Urgency } from './steering-ledger.ts';
import type { Command } from './task-commands.ts';

/** Changes to a plan that is being executed. */
export type PlanCommand =
  | { type: 'ADD'; id: string; node: NodeSpec }
  | { type: 'DROP'; id: string; key: string }
  /** Runs a sub-task again, optionally with another instruction or backend. The sub-tasks that depend on it run again too. */
  | { type: 'RERUN'; id: string; key: string; instruction?: string; backend?: string };
/** The end of one child, by its number. The text of its result stays on the bus. */
export interface Return {
  readonly child: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly failure: Failure | null;
  readonly usage: UsageByBackend;
  /** The backend on which the child ended and which `failover` leaves out. Default: the backend that its node names. */
  readonly backend?: string;
  /** US dollars that the operator has added to the child's slice. They add to the goal's budget too. Default: 0. */
  readonly toppedUpUsd?: number;
}
/** Facts come from the effects and the host, never from the wire. */
type Fact =
  | Billing
  | { type: 'PLANNED'; nodes: readonly NodeSpec[]; reduce: Reduce; usage: Usage; backend: string }
  | { type: 'PLAN_FAILED'; error: Failure }
  /** A batch: all returns that could be read at once. */
  | { type: 'CHILDREN_RETURNED'; returns: readonly Return[] }
  /** These running children wait for their operator. Until they return they hold none of the goal's places. */
  | { type: 'CHILDREN_WAIT'; children: readonly number[] }
  | { type: 'REDUCED'; answer: string; usage: Usage; backend: string }
  | { type: 'REDUCE_FAILED'; error: Failure }
  /** Some cancelled children have not confirmed in time. The supervisor waits for them no longer. */
  | { type: 'DRAIN_EXPIRED' }
  | { type: 'DEADLINE_PASSED' }
  | { type: 'RESTORED' };
export type SupervisorEvent = { type: 'START' } | Command | PlanCommand | Fact;

export interface SupervisorPolicy {
  /** Maximum number of children that run at once; at least 1. */
  readonly concurrency: number;
  readonly onFailure: Directive;
  /** Dispatches of one node before the operator is asked about its failure; likewise the tries of a plan or a reduction. */
  readonly maxAttempts: number;
  /** Unix time in ms; null: no deadline. */
  readonly deadlineAt: number | null;
  /** US dollars that the goal may cost, including all tasks below it; null: no limit. */
  readonly budgetUsd: number | null;
}

/**
 * A message to running children. The host publishes relays in order, each with a message id derived from `id` and the child, so
 * that a repeated publish has no effect.
 */
export interface Relay {
  /** Id of the operator's command, `cancel` at the end of a tree, or `again-…` where a goal begins again. */
  readonly id: string;
  readonly kind: 'steer' | 'cancel' | 'pause' | 'resume' | 'allow';
  /** The correction, or the tool that is allowed; else empty. */
  readonly text: string;
  readonly urgency: Urgency;
  readonly children: readonly number[];
}

export interface SupervisorContext {
  readonly instruction: string;
  readonly backend: string | null;
  readonly policy: SupervisorPolicy;
  readonly nodes: Plan;
  /** Null until there is a plan. A redirect removes the plan and keeps only the returned sub-tasks in `nodes`. */
  readonly reduce: Reduce | null;
  /** Number of children dispatched so far. The next child gets the following number. */
  readonly children: number;
  /** Children that were told to stop and have not returned. No node waits for them. */
  readonly stopping: readonly number[];
  /** Children that waited for their operator since they started. They hold none of the goal's places. */
  readonly waiting: readonly number[];
  readonly relays: readonly Relay[];
  /** All corrections so far. Sub-tasks that start later and the reduction are given them. */
  readonly corrections: readonly string[];
  readonly steers: Ledger;
  readonly question: (Question & { readonly key: string | null }) | null;
  /** Failed sub-tasks about which the operator has to decide, in the order of the questions. */
  readonly undecided: readonly string[];
  readonly paused: boolean;
  /** Tools whose calls the operator has allowed for the whole goal. Sub-tasks that start later are told. */
  readonly allowed: readonly string[];
  /** Number of decompositions and reductions so far. */
  readonly step: number;
  /** Number of decompositions or reductions that failed in a row. */
  readonly failures: number;
  readonly lastFailure: Failure | null;
  readonly questions: number;
  /** The outcome with which the goal will end. Once it is set, nothing starts and running children are cancelled. */
  readonly ending: Outcome | null;
  readonly answer: string | null;
  /** The latest answer that a correction or a change of the plan made obsolete. */
  readonly draft: string | null;
  /** Usage of the supervisor itself and of its children. */
  readonly usage: UsageByBackend;
  /** The money for the request in flight, if its backend has a price. It is committed before the request is sent. */
  readonly reserved: Reservation | null;
  /** The slices of the children, from the commit that starts a child until it returns. Empty where there is no budget. */
  readonly slices: Slices;
  /** US dollars that operators have added to the budgets of the goal and of its sub-tasks. */
  readonly toppedUpUsd: number;
  readonly outcome: Outcome | null;
}
export type SupervisorInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'policy' | 'allowed'> & {
  readonly earlier?: Carryover;
};
export type SupervisorOutput = Pick<SupervisorContext, 'outcome' | 'answer' | 'draft' | 'usage' | 'step'>;
/**
 * Input of the `decompose` effect, which sends PLANNED or PLAN_FAILED. `nodes`: sub-tasks that returned before a redirect; new
 * nodes may come after them.
 */
export type DecomposeInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'corrections' | 'nodes' | 'step'>;
/** Input of the `reduce` effect, which sends REDUCED or REDUCE_FAILED. It reads the results from the bus by child number. */
export type ReduceInput = Pick<
  SupervisorContext,
  'instruction' | 'backend' | 'corrections' | 'nodes' | 'reduce' | 'draft' | 'step'
>;
/** Input of the `drain` effect, which sends DRAIN_EXPIRED after the time within which cancelled children must confirm. */
export type DrainInput = { readonly children: readonly number[] };
