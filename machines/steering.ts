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
export type Ledger = readonly Steer[];
/** What an entry is before its fate is known. */
export type LedgerEntry = Pick<Steer, 'id' | 'kind' | 'text'> & { readonly urgency?: Urgency };

/** `reason`: why it has to wait longer than its urgency asks; the receipts carry it. */
export const enqueue = (ledger: Ledger, entry: LedgerEntry, reason?: string): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'queued', ...(reason !== undefined && { reason }) },
];

/** A command that took effect at once. */
export const enter = (ledger: Ledger, entry: LedgerEntry, step: number, reached?: readonly number[]): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'applied', step, ...(reached && { reached }) },
];

export const refuse = (ledger: Ledger, entry: LedgerEntry, reason: string): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'returned', reason },
];

/** What the next model call must see, in order; `after` waits until the task would otherwise end. */
export const due = (ledger: Ledger, wouldEnd: boolean): Ledger =>
  ledger.filter((steer) => steer.fate === 'queued' && (wouldEnd || steer.urgency !== 'after'));

/** Marks all that is due as seen by the model call of `step`. */
export const apply = (ledger: Ledger, step: number, wouldEnd: boolean): Ledger => {
  const seen = new Set(due(ledger, wouldEnd));
  return seen.size === 0 ? ledger : ledger.map((steer) => (seen.has(steer) ? { ...steer, fate: 'applied', step } : steer));
};

/** Queues again what the model call of `step` was to see first: it is not made. Commands keep the step in which they took effect. */
export const takeBack = (ledger: Ledger, step: number): { ledger: Ledger; count: number } => {
  const isUnseen = (steer: Steer) =>
    steer.fate === 'applied' && steer.step === step && ['steer', 'redirect', 'answer'].includes(steer.kind);
  const requeued = ledger.map((steer): Steer => {
    if (!isUnseen(steer)) return steer;
    const { step: _, ...rest } = steer;
    return { ...rest, fate: 'queued' };
  });
  return { ledger: requeued, count: ledger.filter(isUnseen).length };
};

/** Returns whatever is still queued: the task ends without it. */
export const giveBack = (ledger: Ledger, reason: string): Ledger =>
  ledger.map((steer) => (steer.fate === 'queued' ? { ...steer, fate: 'returned', reason } : steer));
