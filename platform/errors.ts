/**
 * The one error class that reaches an operator. `code` is for programs, the message says what happened and to what, and `hint`
 * says what to do next. No code matches message text.
 */
export interface CoxErrorOptions {
  /** The operator's next action, as a sentence. */
  readonly hint: string;
  readonly cause?: unknown;
  /** Exit code of the process if this error ends a command. Default: chosen by `code` in cli/exit-codes.ts. */
  readonly exitCode?: number | undefined;
}

export class CoxError extends Error {
  override readonly name = 'CoxError';
  /** A stable name in kebab-case: `nats-too-old`. */
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number | undefined;

  constructor(code: string, message: string, { hint, cause, exitCode }: CoxErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The `code` of an unknown error, as the system or a library set it (`ENOENT`), or an empty string. Never throws. */
export const codeOf = (error: unknown): string => told(() => (isObject(error) && 'code' in error ? error.code : '')) ?? '';
const isObject = (it: unknown): it is Record<string, unknown> => typeof it === 'object' && it !== null;

/** The words of whatever was thrown. Never throws: anything can be thrown, also what cannot be read. */
export const messageOf = (error: unknown): string =>
  told(() => (error instanceof Error ? error.message : error)) ?? 'an error that cannot be read';

function told(read: () => unknown): string | null {
  try {
    return String(read());
  } catch {
    return null;
  }
}

/**
 * Translates a failed read or write in Coxswain's own folders for the operator: `no-space`, `read-only` or `storage-failed`. A
 * CoxError is returned unchanged. `doing` completes "Failed while …".
 */
export function storageError(error: unknown, path: string, doing: string): CoxError {
  if (error instanceof CoxError) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CoxError('no-space', `No space left while ${doing}: ${path}`, {
      hint: 'Free some space there, or point XDG_CACHE_HOME and XDG_STATE_HOME at a disk that has enough.',
      cause: error,
    });
  // A recursive mkdir on a read-only disk fails with ENOENT in Node.
  const isUnmakeable = code === 'ENOENT' && isObject(error) && error.syscall === 'mkdir';
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || isUnmakeable)
    return new CoxError(
      'read-only',
      `No permission while ${doing}: ${path} (${isUnmakeable ? 'its folder cannot be created' : code})`,
      {
        hint: 'Make the folder writable for this user, or point XDG_CACHE_HOME and XDG_STATE_HOME at writable folders.',
        cause: error,
      },
    );
  return new CoxError('storage-failed', `Failed while ${doing}: ${path} (${messageOf(error)})`, {
    hint: 'Check that the path is a folder of this user on a healthy disk; "cox doctor" shows which folders are used.',
    cause: error,
  });
}
