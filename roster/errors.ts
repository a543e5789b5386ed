import { CoxError, type CoxErrorOptions } from '../platform/errors.ts';

/**
 * Error codes of a model call.
 * - `unknown-backend`, `not-opted-in`, `no-key`, `not-yet`: the roster does not allow the call; nothing was sent.
 * - `context-too-long`: the prompt does not fit. Reported before the call if that is certain, else by the backend.
 * - `unreachable`, `rate-limited`, `overloaded`, `timeout`, `interrupted`, `backend-crashed`, `resting`: the call may succeed
 *   later or on another backend. `interrupted`: the stream broke off. `resting`: the circuit breaker is open.
 * - `bad-reply`: the reply does not have the requested form. The model may do better at the next try.
 * - `bad-key`, `quota`, `bad-request`, `unknown-model`, `refused`: the same call will fail again on this backend.
 * - `aborted`: the caller's signal aborted. `stopped`: the node is ending.
 * - Any code of the embedded model (`model-missing`, …): see roster/embedded.
 */
export type ModelErrorCode =
  | 'unknown-backend'
  | 'not-opted-in'
  | 'no-key'
  | 'not-yet'
  | 'context-too-long'
  | 'unreachable'
  | 'rate-limited'
  | 'overloaded'
  | 'timeout'
  | 'interrupted'
  | 'backend-crashed'
  | 'resting'
  | 'bad-reply'
  | 'bad-key'
  | 'quota'
  | 'bad-request'
  | 'unknown-model'
  | 'refused'
  | 'aborted'
  | 'stopped';

const retryableCodes: ReadonlySet<string> = new Set<ModelErrorCode>([
  'unreachable',
  'rate-limited',
  'overloaded',
  'timeout',
  'interrupted',
  'backend-crashed',
  'resting',
  'bad-reply',
]);

const hints: Readonly<Record<ModelErrorCode, string>> = {
  'unknown-backend': 'See "cox menu" for the backends of the roster.',
  'not-opted-in': 'Read DISCLAIMER.md, then set `opt_in: true` on the backend in the roster.',
  'no-key': 'Provide the key that the roster refers to, or change the reference.',
  'not-yet': 'Use a backend of kind openai or embedded.',
  'context-too-long': 'Use a backend with a larger `context`, or give the task less to read.',
  unreachable: 'Check that the server runs and that `base_url` in the roster is right.',
  'rate-limited': 'Wait, lower the backend’s `concurrency`, or use another backend.',
  overloaded: 'Try again later or use another backend.',
  timeout: 'Try again, use another backend, or raise `limits.silence_seconds` in the roster.',
  interrupted: 'Try again.',
  'backend-crashed': 'Try again: the next call starts it anew. The log says how it ended.',
  resting: 'Wait, or use another backend.',
  'bad-reply': 'Try again, or use a more capable backend.',
  'bad-key': 'Check the key that the roster refers to.',
  quota: 'Check the plan and billing of the account, or use another backend.',
  'bad-request': 'Check `model`, `tools` and `structured` of the backend in the roster.',
  'unknown-model': 'Check `model` and `base_url` of the backend in the roster.',
  refused: 'Change the instruction or use another backend.',
  aborted: 'Nothing to do: the call was given up on purpose.',
  stopped: 'Start again.',
};

const hintOf = (code: string): string => (Object.hasOwn(hints, code) ? hints[code as ModelErrorCode] : '');

export interface ModelErrorOptions extends Partial<CoxErrorOptions> {
  /** Default: decided by the code. */
  readonly retryable?: boolean;
  /** Waiting time before the next try, if the backend named one. */
  readonly retryAfterMs?: number | undefined;
}

/** A model call that failed. `retryable`: the same call may succeed later, or on another backend. */
export class ModelError extends CoxError {
  readonly backend: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ModelErrorCode | (string & {}),
    backend: string,
    message: string,
    { retryable = retryableCodes.has(code), retryAfterMs, hint, ...rest }: ModelErrorOptions = {},
  ) {
    super(code, `${backend}: ${message}`, { ...rest, hint: hint ?? hintOf(code) });
    this.backend = backend;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/** One fault in a roster file. Lines and columns count from 1. */
export interface RosterProblem {
  readonly line: number;
  readonly column: number;
  /** For example `backends.local.tier`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** A roster file that cannot be used. Codes: `roster-missing`, `roster-unreadable`, `roster-invalid`. */
export class RosterError extends CoxError {
  readonly file: string;
  readonly problems: readonly RosterProblem[];

  constructor(code: string, file: string, message: string, problems: readonly RosterProblem[], options: CoxErrorOptions) {
    super(code, message, { exitCode: 78, ...options });
    this.file = file;
    this.problems = problems;
  }
}
