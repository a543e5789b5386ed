/**
 * The one error class that reaches an operator. `code` is for programs, the message says what happened and to what, `hint` what to do
 * next. Nobody matches message text.
 */
export interface CoxErrorOptions {
  /** What the operator can do now, as a sentence. */
  readonly hint: string;
  readonly cause?: unknown;
  /** Exit code of the process when this ends a command; the command line has a default. */
  readonly exitCode?: number | undefined;
}

export class CoxError extends Error {
  override readonly name = 'CoxError';
  /** kebab-case, stable: `nats-too-old`. */
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

/** The system's or library's code of an unknown error (`ENOENT`), or an empty string. */
export const codeOf = (error: unknown): string => (isObject(error) && 'code' in error ? String(error.code) : '');
const isObject = (it: unknown): it is Record<string, unknown> => typeof it === 'object' && it !== null;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * What a failed read or write of our own folders means to an operator: `no-space`, `read-only` or `storage-failed`. An error that
 * already is a CoxError passes through.
 */
export function storageError(error: unknown, path: string, doing: string): CoxError {
  if (error instanceof CoxError) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CoxError('no-space', `No space left while ${doing}: ${path}`, {
      hint: 'Free some space there, or point XDG_CACHE_HOME and XDG_STATE_HOME at a disk that has some.',
      cause: error,
    });
  // Asked for a folder and those above it, Node says ENOENT of a disk that is read-only.
  const isUnmakeable = code === 'ENOENT' && isObject(error) && error.syscall === 'mkdir';
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || isUnmakeable)
    return new CoxError(
      'read-only',
      `No permission while ${doing}: ${path} (${isUnmakeable ? 'its folder cannot be made' : code})`,
      {
        hint: 'Make the folder writable for this user, or point XDG_CACHE_HOME and XDG_STATE_HOME at folders that are.',
        cause: error,
      },
    );
  return new CoxError('storage-failed', `Failed while ${doing}: ${path} (${messageOf(error)})`, {
    hint: 'Check that the path is a folder of this user on a healthy disk; "cox doctor" shows which folders are used.',
    cause: error,
  });
}
