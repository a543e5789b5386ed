/** What the process says when it ends. docs/cli.md shows this table; the codes are stable. */
import { codeOf } from '../platform/errors.ts';

export const exitCodes = {
  ok: 0,
  /** The task failed, or `doctor` found something that prevents work. */
  failed: 1,
  /** Unknown command or option, empty or too long goal, unknown type or backend. */
  usage: 2,
  unknownTask: 3,
  /** A steer came back: too late, wrong step, closed question. */
  returned: 4,
  cancelled: 5,
  /** No bus, a bus that does not answer, one that is too old. */
  busUnreachable: 6,
  rosterInvalid: 7,
  fetchFailed: 8,
  /** No space, read-only folder. */
  storage: 9,
  /** `result --no-wait` of a task that is still at work. */
  notDone: 10,
  /** A node was stopped before it had given back what it held: others take that over. */
  undrained: 11,
  /** A defect of ours. */
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Codes by their first words, most specific first: a new code of a part gets its part's exit code. */
const byPrefix: readonly (readonly [RegExp, ExitCode])[] = [
  [/^(unknown-task|ambiguous-task|unknown-letter)$/, exitCodes.unknownTask],
  [/^(usage|bad-|empty-|unknown-|not-opted-in|too-long|message-too-big|no-key$)/, exitCodes.usage],
  [/^(no-space|read-only|stream-full|storage-|state-|lock-|ENOSPC|EDQUOT|EROFS|EACCES|EPERM)/, exitCodes.storage],
  [/^roster-/, exitCodes.rosterInvalid],
  [/^(download-|fetch-|server-not-found|server-binary|asset-|model-file|unsupported-platform)/, exitCodes.fetchFailed],
  [/^(nats-|bus-|no-crew|server-|not-connected)/, exitCodes.busUnreachable],
];

/** By its `code`; where that says nothing the error's own word counts. */
export function exitCodeOf(error: unknown): number {
  const known = byPrefix.find(([pattern]) => pattern.test(codeOf(error)))?.[1];
  if (known !== undefined) return known;
  const own = typeof error === 'object' && error !== null && 'exitCode' in error ? error.exitCode : undefined;
  return typeof own === 'number' ? own : exitCodes.internal;
}
