/** The supervision directive: how a supervisor reacts to a failed sub-task. */
import type { Failure } from './conversation.ts';
import type { Directive, PlanNode } from './plan.ts';
import type { SupervisorPolicy } from './supervisor-context.ts';

/**
 * The policy's directive for one failure. Instead of a retry, the operator is asked if the failure is not retryable or the node
 * has been dispatched `maxAttempts` times.
 */
export function directiveFor(
  { onFailure, maxAttempts }: SupervisorPolicy,
  { attempt }: PlanNode,
  { retryable }: Failure,
): Directive {
  const retries = onFailure === 'retry' || onFailure === 'failover';
  return retries && (!retryable || attempt >= maxAttempts) ? 'ask' : onFailure;
}
