import type { Failure } from '../../machines/conversation.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { ModelError } from '../../roster/errors.ts';

/** Turns an exception of an effect into the failure that its chart is told. Only a ModelError can be retryable. */
export function failureOf(cause: unknown): Failure {
  if (cause instanceof ModelError) return { code: cause.code, message: cause.message, retryable: cause.retryable };
  if (cause instanceof CoxError) return { code: cause.code, message: `${cause.message}. ${cause.hint}`, retryable: false };
  return { code: 'internal', message: messageOf(cause), retryable: false };
}
