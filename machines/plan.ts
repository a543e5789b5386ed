/** A plan is a DAG of sub-tasks, held as plain data by key: desired state, which the supervisor's host makes true. */
import type { Failure } from './conversation.ts';

export interface NodeSpec {
  readonly key: string;
  readonly type: string;
  readonly instruction: string;
  readonly needs: readonly string[];
  /** Keys whose results it is given; it starts when all of them have settled. */
  readonly after: readonly string[];
  readonly backend: string | null;
}
export interface PlanNode extends NodeSpec {
  readonly status: 'waiting' | 'running' | 'returned' | 'failed' | 'dropped';
  /** Counts its dispatches. What an earlier attempt returns is stale. */
  readonly attempt: number;
  /** Number of the child task of its latest attempt; the supervisor's nth dispatch gets n. */
  readonly child: number | null;
  readonly failure: Failure | null;
}
export type Plan = Readonly<Record<string, PlanNode>>;

export type Reduce =
  | { readonly by: 'orchestrator'; readonly instruction: string }
  | { readonly by: 'backend'; readonly backend: string; readonly instruction: string }
  | { readonly by: 'concat' | 'json' | 'vote' };

/** What becomes of a sub-task that failed. `failover` is a retry that leaves out the backend that failed. */
export type Directive = 'retry' | 'failover' | 'ask' | 'skip' | 'escalate';
