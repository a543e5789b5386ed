/** The supervision directive: what becomes of a sub-task that failed. */
import type { Failure } from './conversation.ts';
import type { Directive, PlanNode } from './plan.ts';
import type { SupervisorPolicy } from './supervisor-context.ts';

/**
 * The policy's directive for one failure. A retry that cannot help, or that was tried `maxAttempts` times, becomes a question to the operator.
 */
export function directiveFor(
  { onFailure, maxAttempts }: SupervisorPolicy,
  { attempt }: PlanNode,
  { retryable }: Failure,
): Directive {
  const retries = onFailure === 'retry' || onFailure === 'failover';
  return retries && (!retryable || attempt >= maxAttempts) ? 'ask' : onFailure;
}
