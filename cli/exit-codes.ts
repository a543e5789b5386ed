/** The exit codes of `cox`, also listed in docs/cli.md. They are stable. */
import { codeOf } from '../platform/errors.ts';

export const exitCodes = {
  ok: 0,
  /** The task failed, `doctor` found something that prevents work, or a backend did not answer `menu --probe`. */
  failed: 1,
  /** An unknown command, option, type or backend; an empty or too long goal. */
  usage: 2,
  unknownTask: 3,
  /** A steer was returned: too late, wrong step, closed question. */
  returned: 4,
  cancelled: 5,
  /** No bus runs, or it does not answer, or its server is too old. */
  busUnreachable: 6,
  rosterInvalid: 7,
  fetchFailed: 8,
  /** No space, a read-only folder, a full stream. */
  storage: 9,
  /** `result --no-wait`: the task has not ended. `dead retry`: its goal has not answered yet. `undo`: a task has not ended. */
  notDone: 10,
  /** A node was stopped before it had given back all its tasks. Other nodes take them over. */
  undrained: 11,
  /** `run --on-question fail`: the goal waits for answers that nobody here can give. It is kept. */
  unanswered: 12,
  /** A crew with roles: the role of this member does not allow it. */
  denied: 13,
  /** A defect of Coxswain. */
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Exit codes by pattern of the error code, most specific first. A new error code with a known prefix gets the same exit code. */
const byPrefix: readonly (readonly [RegExp, ExitCode])[] = [
  [/^task-unfinished$/, exitCodes.notDone],
  [/^bad-artifact$/, exitCodes.storage],
  [/^(unknown-task|ambiguous-task|unknown-letter|artifact-gone)$/, exitCodes.unknownTask],
  [/^(usage|bad-|empty-|unknown-|not-opted-in|too-long|message-too-big|no-key$|port-taken$)/, exitCodes.usage],
  [/^(no-space|read-only|stream-full|storage-|state-|lock-|ENOSPC|EDQUOT|EROFS|EACCES|EPERM)/, exitCodes.storage],
  [/^roster-/, exitCodes.rosterInvalid],
  [
    /^(download-|fetch-|no-npm$|no-browser$|server-not-found|server-binary|asset-|model-file|unsupported-platform)/,
    exitCodes.fetchFailed,
  ],
  [/^role-denied$/, exitCodes.denied],
  [/^(nats-|bus-|no-crew|no-node|no-websocket$|no-streams|server-|not-connected)/, exitCodes.busUnreachable],
];

/** The exit code for an error: by its `code`, else its own `exitCode`, else 70. */
export function exitCodeOf(error: unknown): number {
  const known = byPrefix.find(([pattern]) => pattern.test(codeOf(error)))?.[1];
  if (known !== undefined) return known;
  const own = typeof error === 'object' && error !== null && 'exitCode' in error ? error.exitCode : undefined;
  return typeof own === 'number' ? own : exitCodes.internal;
}
