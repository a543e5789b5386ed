/** What a task brings along that begins again, because no machine can go on with its checkpoint (docs/adr/0015). Plain JSON. */
import type { Slices } from './budget.ts';
import type { UsageByBackend } from './conversation.ts';
import type { NodeSpec } from './plan.ts';
import type { Ledger } from './steering.ts';

export interface Carryover {
  /** What it was asked to do last. */
  readonly instruction: string;
  /** Corrections that it had taken up. */
  readonly corrections: readonly string[];
  /** Steers that are still queued. */
  readonly steers: Ledger;
  /** What it had found, and what it may have done, in words. */
  readonly found: readonly string[];
  /** Counting goes on: ids of calls, questions and children stay unique, and nothing spent is forgotten. */
  readonly step: number;
  readonly questions: number;
  readonly usage: UsageByBackend;
  /** US dollars that operators have added: they are added again to the limit of the task. */
  readonly toppedUpUsd: number;
  /** Of a supervisor: what is still set aside for children that run. */
  readonly slices: Slices;
  /** Of a supervisor: sub-tasks ever dispatched, those whose results count, and those that run. */
  readonly children: number;
  readonly returned: readonly (NodeSpec & { readonly child: number })[];
  readonly running: readonly number[];
}
