/** What a model and its tools said to each other, and the questions that only the operator can answer. All plain JSON. */

/** `none`: only reads. `idempotent`: running it twice is the same as once. `writes`: anything else. */
export type Effects = 'none' | 'idempotent' | 'writes';

export interface ToolCall {
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
  readonly effects: Effects;
  /** The operator must allow it first. */
  readonly gated?: boolean;
  /** `ask_operator`: the call is a question to the operator, and the answer is the call's result. */
  readonly asks?: boolean;
  /** Set on entering `acting`: after a crash it may or may not have run. */
  readonly started?: boolean;
}
export type Calls = readonly ToolCall[];

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Tokens as the backend counted them; cost in US dollars. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
}
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costUsd: a.costUsd + b.costUsd,
});

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls?: Calls; readonly unfinished?: true }
  | { readonly role: 'tool'; readonly call: string; readonly text: string };

export type QuestionKind = 'asked' | 'approval' | 'in-doubt' | 'budget' | 'stuck';
export interface Question {
  /** Unique within the task: `q1`, `q2`, … An answer names it. */
  readonly id: string;
  readonly kind: QuestionKind;
  readonly text: string;
  readonly choices?: readonly string[];
}

export type Outcome = { readonly kind: 'completed' } | { readonly kind: 'cancelled' } | ({ readonly kind: 'failed' } & Failure);
