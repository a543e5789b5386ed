/** The state that a task keeps when it begins again because no machine can restore its checkpoint (docs/adr/0015). Plain JSON. */
import type { Slices } from './budget.ts';
import type { Message, UsageByBackend } from './conversation.ts';
import type { Effect } from './effects.ts';
import type { NodeSpec } from './plan.ts';
import type { Ledger } from './steering-ledger.ts';

export interface Carryover {
  /** The task's latest instruction. */
  readonly instruction: string;
  /** Corrections that the task had already applied. */
  readonly corrections: readonly string[];
  /** Steers that are still queued. */
  readonly steers: Ledger;
  /** Findings, and calls that may have run, in words. */
  readonly found: readonly string[];
  /** Of a task that goes on from a step of another one: what was said before that step, in place of all the texts above. */
  readonly messages?: readonly Message[];
  /** The counters continue, so that the ids of calls, questions and children stay unique and spent money stays counted. */
  readonly step: number;
  readonly questions: number;
  readonly usage: UsageByBackend;
  /** US dollars that operators have added. They are added again to the limit of the task. */
  readonly toppedUpUsd: number;
  /** What the calls did before. Left out by tasks that have none. */
  readonly effects?: readonly Effect[];
  /** For a supervisor: the slices of the children that still run. */
  readonly slices: Slices;
  /** For a supervisor: the number of children dispatched, the sub-tasks whose results count, and the children that still run. */
  readonly children: number;
  readonly returned: readonly (NodeSpec & { readonly child: number })[];
  readonly running: readonly number[];
}
