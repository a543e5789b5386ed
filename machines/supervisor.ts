import type { Failure, Outcome, Question, Usage } from './conversation.ts';
import type { Directive, NodeSpec, Plan, Reduce } from './plan.ts';
import type { Steer, Urgency } from './steering.ts';
import type { DeadlineInput } from './sub-agent.ts';

type Command =
  | { type: 'START' }
  | { type: 'STEER'; id: string; text: string; urgency: Urgency }
  | { type: 'REDIRECT'; id: string; text: string }
  | { type: 'ANSWER'; id: string; question: string; text: string }
  | { type: 'SWAP'; id: string; backend: string }
  | { type: 'BUDGET'; id: string; steps?: number; costUsd?: number }
  | { type: 'PAUSE' | 'RESUME' | 'CANCEL'; id: string }
  | { type: 'ADD'; id: string; node: NodeSpec }
  | { type: 'DROP'; id: string; key: string }
  /** Runs a sub-task again, perhaps with another instruction or on another backend; what depended on it is redone. */
  | { type: 'RERUN'; id: string; key: string; instruction?: string; backend?: string };
/** One child's end, by its number. The text stays on the bus. */
export interface Return {
  readonly child: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly failure: Failure | null;
  readonly usage: Readonly<Record<string, Usage>>;
}
type Fact =
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
export type SupervisorEvent = Command | Fact;

export interface SupervisorPolicy {
  /** How many children may run at once. */
  readonly concurrency: number;
  readonly onFailure: Directive;
  /** Dispatches of one node before a failure is asked about. */
  readonly maxAttempts: number;
  /** Milliseconds since the epoch, or null. */
  readonly deadlineAt: number | null;
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
  readonly reduce: Reduce | null;
  /** How many children were ever dispatched; the next is one more. */
  readonly children: number;
  readonly relays: readonly Relay[];
  /** Corrections so far: given to sub-tasks not yet started and to the reduction. */
  readonly corrections: readonly string[];
  readonly steers: readonly Steer[];
  readonly question: (Question & { readonly key: string | null }) | null;
  /** Questions not shown yet: one is open at a time, the others wait here and block nothing else. */
  readonly paused: boolean;
  /** Counts decompositions and reductions. */
  readonly step: number;
  readonly failures: number;
  readonly questions: number;
  /** How it will end; once set nothing new starts and running children are cancelled. */
  readonly ending: Outcome | null;
  readonly answer: string | null;
  readonly usage: Readonly<Record<string, Usage>>;
  readonly outcome: Outcome | null;
}
export type SupervisorInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'policy'>;
/** Input of the `decompose` effect: sends PLANNED or PLAN_FAILED. */
export type DecomposeInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'corrections' | 'step'>;
/** Input of the `reduce` effect: sends REDUCED or REDUCE_FAILED. Results are read from the bus by child number. */
export type ReduceInput = Pick<SupervisorContext, 'instruction' | 'backend' | 'corrections' | 'nodes' | 'reduce' | 'step'>;
export type { DeadlineInput };
