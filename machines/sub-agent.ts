import type { Calls, Failure, Message, Outcome, Question, ToolCall, Usage } from './conversation.ts';
import type { Steer, Urgency } from './steering.ts';

/** Commands come from an operator; each carries the id of its steering message. */
type Command =
  | { type: 'START' }
  | { type: 'STEER'; id: string; text: string; urgency: Urgency }
  | { type: 'REDIRECT'; id: string; text: string }
  | { type: 'ANSWER'; id: string; question: string; text: string }
  | { type: 'SWAP'; id: string; backend: string }
  | { type: 'BUDGET'; id: string; steps?: number; costUsd?: number }
  | { type: 'PAUSE' | 'RESUME' | 'CANCEL'; id: string };
/** Facts come from the effects and the host, never from the wire. */
type Fact =
  | { type: 'MODEL_SAID'; text: string }
  | { type: 'MODEL_REPLIED'; text: string; calls: Calls; usage: Usage; backend: string }
  | { type: 'MODEL_FAILED'; error: Failure }
  | { type: 'TOOL_RETURNED'; call: string; text: string; failed?: true }
  | { type: 'DEADLINE_PASSED' }
  /** The process that ran this was lost, or the task was parked; effects don't come back on their own. */
  | { type: 'RESTORED' };
export type SubAgentEvent = Command | Fact;

export interface Limits {
  readonly steps: number;
  /** Failures in a row before it asks for help. */
  readonly failures: number;
  /** Times the same calls may be repeated before it asks for help. */
  readonly repeats: number;
  /** US dollars, or null for no limit. */
  readonly costUsd: number | null;
  /** Milliseconds since the epoch, or null for none. */
  readonly deadlineAt: number | null;
}

export interface SubAgentContext {
  readonly instruction: string;
  /** Backend asked for by name; null lets the roster route. */
  readonly backend: string | null;
  readonly limits: Limits;
  readonly messages: readonly Message[];
  /** What the model call in flight has said so far. */
  readonly partial: string;
  /** Asked for by the model and not answered yet; in `acting` the head is in flight. */
  readonly calls: Calls;
  /** The model's last word, when it asked for nothing more. */
  readonly answer: string | null;
  readonly steers: readonly Steer[];
  readonly question: Question | null;
  readonly paused: boolean;
  readonly step: number;
  readonly failures: number;
  readonly repeats: number;
  /** Questions asked so far. */
  readonly questions: number;
  readonly usage: Readonly<Record<string, Usage>>;
  readonly lastFailure: Failure | null;
  readonly outcome: Outcome | null;
}
export type SubAgentInput = Pick<SubAgentContext, 'instruction' | 'backend' | 'limits'>;
/** Input of the `think` effect: a callback actor that sends MODEL_SAID for each chunk, then MODEL_REPLIED or MODEL_FAILED. */
export type ThinkInput = Pick<SubAgentContext, 'instruction' | 'backend' | 'messages' | 'step'>;
/** Input of the `act` effect: a callback actor that sends TOOL_RETURNED. */
export type ActInput = { readonly call: ToolCall; readonly step: number };
/** Input of the `deadline` effect: sends DEADLINE_PASSED at `at`; does nothing for null. */
export type DeadlineInput = { readonly at: number | null };
