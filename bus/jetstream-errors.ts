/**
 * Named predicates for the JetStream errors that the code handles. The numbers are the `err_code`s of nats-server
 * (server/errors.json). The client wraps them in `JetStreamApiError`, or in an error of its own with the same `code`.
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import { PermissionViolationError } from '@nats-io/nats-core';
import { CoxError } from '../platform/errors.ts';

const isOneOf =
  (...codes: readonly number[]) =>
  (cause: unknown): boolean =>
    cause instanceof Error && 'code' in cause && codes.includes(cause.code as number);

/** The expected last sequence does not match: someone else has written in the meantime. */
export const isConflict = isOneOf(10071, 10164);

/** A stream of this name exists with another configuration. */
export const isStreamNameInUse = isOneOf(10058);

/** A consumer of this name exists with another configuration. */
export const isConsumerInUse = isOneOf(10148, 10013);

/** The message is longer than the stream's `max_msg_size`. */
export const isTooBigForStream = isOneOf(10054);

export const isStreamNotFound = isOneOf(10059);

export const isConsumerNotFound = isOneOf(10014);

/** The server is not part of a cluster, so it keeps one copy only. */
export const isNotClustered = isOneOf(10074);

/** The cluster has too few servers with enough space for the copies. */
export const lacksPeers = isOneOf(10005);

const hasNoStorage = isOneOf(10047, 10077, 10023, 10122);
/** The server refused a write because a limit on bytes, messages, storage or memory is reached, or because its disk is full. */
export const isOutOfStorage = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && (hasNoStorage(cause) || /no space left|maximum (bytes|messages)/.test(cause.message));

/** The server does not permit this client to publish on the subject of the request. */
export const isDenied = (cause: unknown): boolean => violation(cause) !== null;
export const deniedSubject = (cause: unknown): string | null => violation(cause)?.subject ?? null;

const violation = (cause: unknown): PermissionViolationError | null => {
  if (cause instanceof PermissionViolationError) return cause;
  return cause instanceof Error && cause.cause instanceof PermissionViolationError ? cause.cause : null;
};

/**
 * The same request may succeed soon. 10008: JetStream is starting. 10003 and 10009: the cluster has no leader. 10118: the stream
 * is not available yet. 10158: a message with the same id is being stored; it may be our own from before a timeout.
 */
const isStarting = isOneOf(10003, 10008, 10009, 10118, 10158);
export const isTransient = (cause: unknown): boolean =>
  isStarting(cause) || (cause instanceof JetStreamApiError && cause.status === 503);

/**
 * The error of a request that changes what the server stores, for the operator. On a full disk the server also refuses a purge and
 * a new stream, since it writes a little for them.
 * @param doing what the server could not do.
 */
export const storageFailed = (doing: string, cause: unknown): unknown =>
  cause instanceof JetStreamApiError
    ? new CoxError('storage-failed', `The NATS server could not ${doing}: ${cause.message}`, {
        hint: 'If its disk is full, free some space by other means; then restart nats-server (docs/operations.md).',
        cause,
      })
    : cause;
