/**
 * The steering ledger: every message an operator sent to a task, in the stream's order, and what became of it. Queue and receipts in one:
 * the host derives receipts from how an entry changed between two commits (DESIGN G: every steer ends in exactly one final receipt).
 */

/** `now` interrupts what may be interrupted, `next-step` waits for the next model call, `after` until the task would otherwise end. */
export type Urgency = 'now' | 'next-step' | 'after';

export interface Steer {
  readonly id: string;
  readonly kind: 'steer' | 'redirect' | 'answer' | 'swap' | 'budget' | 'pause' | 'resume' | 'cancel' | 'plan';
  readonly text: string;
  readonly urgency: Urgency;
  readonly fate: 'queued' | 'applied' | 'returned';
  /** The step whose model call first saw it, or during which a command took effect. */
  readonly step?: number;
  /** Why it was returned, or what was done instead of what was asked. */
  readonly reason?: string;
  /** For a correction of a goal: the numbers of the children it was relayed to. */
  readonly reached?: readonly number[];
}
