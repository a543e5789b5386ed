/** The lines, events and context of the primary's chart. All of it is plain JSON. */
import type { Calls, Echo, Failure, Message, ToolCall, Usage, UsageByBackend } from './conversation.ts';

/** What the operator has said. The id is unique in the talk. */
export interface Line {
  readonly id: string;
  readonly text: string;
}

export type PrimaryMachineEvent =
  /** `isFirst`: the line passes the waiting ones and interrupts the answer under way. */
  | { type: 'SAY'; line: Line; isFirst?: true }
  /** A part of the talk that this agent did not have itself: from an earlier session, or from another terminal. */
  | { type: 'HEARD'; messages: readonly Message[] }
  | { type: 'INTERRUPT' }
  /** Code knows what the line asks for. No model is called. Without calls, `text` is the answer. */
  | { type: 'DECIDED'; text: string; calls: Calls }
  | { type: 'MODEL_SAID'; text: string }
  | { type: 'MODEL_REPLIED'; text: string; calls: Calls; usage: Usage; backend: string; echo?: Echo | undefined }
  | { type: 'MODEL_FAILED'; error: Failure }
  /**
   * `closes`: the result itself answers the operator, so no model call has to put it into words. `did`: something was really
   * done, and the text says what.
   */
  | { type: 'TOOL_RETURNED'; call: string; text: string; closes?: true; did?: true };

/** The events that the operator sees. The tokens of each text are followed by one `reply`, even if the text was cut off. */
export type Told =
  | { type: 'began'; line: Line }
  | { type: 'token'; text: string }
  /** `by`: a model wrote the text, or code of Coxswain did. */
  | { type: 'reply'; text: string; by: 'model' | 'code' }
  /** Something was really done. Code wrote the text. */
  | { type: 'did'; text: string }
  | { type: 'failed'; error: { readonly code: string; readonly message: string } }
  | { type: 'ended'; line: Line; how: 'answered' | 'interrupted' | 'failed' }
  | { type: 'idle' };

export interface PrimaryContext {
  readonly messages: readonly Message[];
  /** The text received so far from the model call in flight. */
  readonly partial: string;
  /** Calls that the model requested and that have no result yet. In `acting`, the first of them is in flight. */
  readonly calls: Calls;
  /** The line that is being answered. */
  readonly line: Line | null;
  /** Lines that wait for their turn. */
  readonly waiting: readonly Line[];
  /** Messages that were heard while a line was being answered. They join the conversation before the next line. */
  readonly heard: readonly Message[];
  /** Results of this reply's calls as long as all of them have `closes`; null after one that has not. */
  readonly closing: readonly string[] | null;
  /** The final answer to the line. */
  readonly answer: string | null;
  /** Number of model calls made for the line. */
  readonly step: number;
  /** Number of model replies since the start. It makes the ids of calls unique. */
  readonly replies: number;
  /** The backend of the last reply; null if code decided. */
  readonly backend: string | null;
  readonly usage: UsageByBackend;
}
/**
 * Input of `think`, a callback actor that sends MODEL_SAID for each chunk, then MODEL_REPLIED or MODEL_FAILED; or DECIDED at once.
 * `isLast`: the model must answer and may not call a tool.
 */
export type PrimaryThinkInput = Pick<PrimaryContext, 'messages' | 'replies'> & {
  readonly line: Line;
  readonly isLast: boolean;
  /** True for the first call for the line. */
  readonly isFirst: boolean;
};
/** Input of `act`, a callback actor that sends TOOL_RETURNED. */
export type PrimaryActInput = { readonly call: ToolCall; readonly backend: string | null; readonly line: Line };
