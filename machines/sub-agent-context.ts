/** The events and the context of the sub-agent's chart, as plain JSON. */
import type { Billing, Reservation } from './budget.ts';
import type { Carryover } from './carryover.ts';
import type {
  Calls,
  Echo,
  Failure,
  Message,
  Outcome,
  Picture,
  Preview,
  Question,
  ToolCall,
  Usage,
  UsageByBackend,
} from './conversation.ts';
import type { Change, Effect } from './effects.ts';
import type { Ledger } from './steering-ledger.ts';
import type { Command } from './task-commands.ts';

/** Facts come from the effects and the host, never from the wire. */
type Fact =
  | Billing
  | { type: 'MODEL_SAID'; text: string }
  | { type: 'MODEL_REPLIED'; text: string; calls: Calls; usage: Usage; backend: string; echo?: Echo | undefined }
  | { type: 'MODEL_FAILED'; error: Failure }
  | {
      type: 'TOOL_RETURNED';
      call: string;
      text: string;
      failed?: true;
      /** It was not run, because the operator's rules forbid it. */
      denied?: true;
      changes?: readonly Change[];
      sources?: readonly string[];
      images?: readonly Picture[];
    }
  /** The tool has looked at the call. Null: it has nothing to show. `ask` (default true) false: what may pass runs unasked. */
  | { type: 'PREVIEWED'; call: string; preview: Preview | null; ask?: boolean }
  /** The call did not run, because its target is not what the operator was shown. */
  | { type: 'CALL_OUTDATED'; call: string }
  /**
   * The call ended, and nobody knows whether it took effect: what it worked with was lost, such as a browser. `seen`: how its
   * target is now, for the operator who is asked.
   */
  | { type: 'CALL_DOUBTED'; call: string; seen?: string }
  /** Whether the task produced what it had to. Null: it did. Otherwise `missing` says what is missing and how to make it. */
  | { type: 'CHECKED'; missing: Missing | null }
  /** It could not be checked. */
  | { type: 'CHECK_FAILED'; error: Failure }
  | { type: 'DEADLINE_PASSED' }
  /** The process that ran this task was lost, or the task was parked. Effects do not resume by themselves. */
  | { type: 'RESTORED'; seen?: string };
/** Something that the task must produce and has not, or a way in which its answer is not as it must be. */
export interface Missing {
  /** The code of the failure if the task ends so. */
  readonly code: 'not-produced' | 'not-as-expected';
  /** A sentence for the model and for the operator. */
  readonly what: string;
  /** The tool that makes it; null: the answer itself is wrong. */
  readonly tool: string | null;
}
export type SubAgentEvent = { type: 'START' } | Command | Fact;

export interface Limits {
  readonly steps: number;
  /** Failures in a row before the task asks for help. */
  readonly failures: number;
  /** Number of times that the model may repeat the same calls before the task asks for help. */
  readonly repeats: number;
  /** US dollars; null: no limit. */
  readonly costUsd: number | null;
  /** Unix time in ms; null: no deadline. */
  readonly deadlineAt: number | null;
}

export interface SubAgentContext {
  readonly instruction: string;
  /** Name of the requested backend; null: the roster chooses one. */
  readonly backend: string | null;
  readonly limits: Limits;
  readonly messages: readonly Message[];
  /** The text received so far from the model call in flight. */
  readonly partial: string;
  /** Calls that the model requested and that have no result yet. In `acting`, the first of them is in flight. */
  readonly calls: Calls;
  /** The text of the model's latest reply, if that reply requests no calls. */
  readonly answer: string | null;
  readonly steers: Ledger;
  readonly question: Question | null;
  readonly paused: boolean;
  readonly step: number;
  /** Failures in a row. A reply ends a row of failed model calls, and a tool's result ends a row of failed tool calls. */
  readonly failures: number;
  readonly repeats: number;
  /** Number of questions asked so far. */
  readonly questions: number;
  readonly usage: UsageByBackend;
  /** The money for the request in flight, if its backend has a price. It is committed before the request is sent. */
  readonly reserved: Reservation | null;
  /** US dollars that the operator has added to the task's limit. */
  readonly toppedUpUsd: number;
  readonly lastFailure: Failure | null;
  /** What the calls did so far. */
  readonly effects: readonly Effect[];
  /** What the tools really read, each once, in order. */
  readonly sources: readonly string[];
  /** Tools whose calls the operator has allowed for the rest of the task. */
  readonly allowed: readonly string[];
  /** True until the instruction is replaced if the answer must be checked before the task ends. */
  readonly mustProduce: boolean;
  /** Whether the present answer has been checked. */
  readonly checked: boolean;
  /** What the agent was told is missing. It is told once. */
  readonly missing: Missing | null;
  readonly outcome: Outcome | null;
}
export type SubAgentInput = Pick<SubAgentContext, 'instruction' | 'backend' | 'limits' | 'mustProduce' | 'allowed'> & {
  readonly earlier?: Carryover;
};
/** `partial` is the text received from a model call that was in flight at the end. It is also the last unfinished message. */
export type SubAgentOutput = Pick<
  SubAgentContext,
  'outcome' | 'answer' | 'partial' | 'messages' | 'usage' | 'step' | 'effects' | 'sources'
> & {
  /** Calls that may have run although no result arrived. A reader of the output must know about them. */
  readonly inDoubt: Calls;
};
/**
 * Input of the `think` effect, a callback actor that sends MODEL_SAID for each chunk, then MODEL_REPLIED or MODEL_FAILED. Before
 * each request that has a price it sends CALL_PRICED; the actor is stopped if the request is not affordable. The bill comes with
 * the reply, or as CALL_BILLED.
 */
export type ThinkInput = Pick<SubAgentContext, 'instruction' | 'backend' | 'messages' | 'step'> & {
  /** US dollars that may still be spent; null: no limit. */
  readonly leftUsd: number | null;
  /** The tool that the reply should call, because what it makes is missing; null: the model chooses. */
  readonly wanted: string | null;
};
/**
 * Input of the `act` effect, a callback actor that sends TOOL_RETURNED, CALL_OUTDATED or CALL_DOUBTED, and CALL_PRICED and
 * CALL_BILLED about a backend that a tool asks. Only calls with effects `none` ask one.
 */
export type ActInput = {
  readonly call: ToolCall;
  readonly step: number;
  // Both are left out in checkpoints that were written before tools could ask.
  readonly backend?: string | null;
  readonly leftUsd?: number | null;
};
/** Input of the `preview` effect, which sends PREVIEWED, or a failed TOOL_RETURNED for a call that would be refused anyway. */
export type PreviewInput = {
  readonly call: ToolCall;
  /** Left out in checkpoints of earlier versions. */
  readonly step?: number;
};
/**
 * Input of the `check` effect, which sends CHECKED or CHECK_FAILED, and CALL_PRICED and CALL_BILLED about a backend that judges
 * the answer.
 */
export type CheckInput = Pick<SubAgentContext, 'answer' | 'effects' | 'step'> & Pick<ThinkInput, 'leftUsd'>;
/** Input of the `deadline` effect, which sends DEADLINE_PASSED at `at` (Unix time in ms) and does nothing for null. */
export type DeadlineInput = { readonly at: number | null };
