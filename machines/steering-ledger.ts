/**
 * The steering ledger lists every message that an operator sent to a task, in the stream's order, with its fate. It is both the
 * queue and the source of the receipts: the host derives receipts from the changes of an entry between two commits (rule
 * `receipts`, promise G: every steer ends in exactly one final receipt).
 */

/**
 * `now` interrupts the call in flight if that call may be interrupted, `next-step` waits for the next model call, and `after`
 * waits until the task would otherwise end.
 */
export const urgencies = ['now', 'next-step', 'after'] as const;
export type Urgency = (typeof urgencies)[number];

/**
 * Every kind of steer. `isSeen`: the steer is applied when a model call sees it; other kinds take effect at once. `isQueued`: its
 * receipts include `queued`, even if one commit queues and applies it.
 */
export const steerKinds = {
  steer: { isSeen: true, isQueued: true },
  redirect: { isSeen: true, isQueued: true },
  answer: { isSeen: true, isQueued: false },
  allow: { isSeen: false, isQueued: false },
  swap: { isSeen: false, isQueued: false },
  budget: { isSeen: false, isQueued: false },
  pause: { isSeen: false, isQueued: false },
  resume: { isSeen: false, isQueued: false },
  cancel: { isSeen: false, isQueued: false },
  /** A change to a goal's plan. */
  plan: { isSeen: false, isQueued: false },
} as const;
export type SteerKind = keyof typeof steerKinds;

export interface Steer {
  readonly id: string;
  readonly kind: SteerKind;
  readonly text: string;
  readonly urgency: Urgency;
  readonly fate: 'queued' | 'applied' | 'returned';
  /** The step whose model call first saw the steer, or during which a command took effect. */
  readonly step?: number;
  /** Why the steer was returned, or why it waited longer than its urgency asks. */
  readonly reason?: string;
  /** For a correction of a goal: the numbers of the children it was relayed to. */
  readonly reached?: readonly number[];
}
export type Ledger = readonly Steer[];
/** An entry before its fate is known. */
export type LedgerEntry = Pick<Steer, 'id' | 'kind' | 'text'> & { readonly urgency?: Urgency };

/** @param reason why the entry waits longer than its urgency asks. The receipts carry it. */
export const enqueue = (ledger: Ledger, entry: LedgerEntry, reason?: string): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'queued', ...(reason !== undefined && { reason }) },
];

/** A command that took effect at once. @param more a goal's children that a correction reached; a reason for the receipt. */
export const enter = (
  ledger: Ledger,
  entry: LedgerEntry,
  step: number,
  { reached, reason }: { readonly reached?: readonly number[]; readonly reason?: string | undefined } = {},
): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'applied', step, ...(reached && { reached }), ...(reason !== undefined && { reason }) },
];

export const refuse = (ledger: Ledger, entry: LedgerEntry, reason: string): Ledger => [
  ...ledger,
  { urgency: 'now', ...entry, fate: 'returned', reason },
];

/** The steers that the next model call must see, in order. `after` waits until the task would otherwise end. */
export const due = (ledger: Ledger, wouldEnd: boolean): Ledger =>
  ledger.filter((steer) => steer.fate === 'queued' && (wouldEnd || steer.urgency !== 'after'));

/** Marks all steers that are due as applied by the model call of `step`. */
export const apply = (ledger: Ledger, step: number, wouldEnd: boolean): Ledger => {
  const seen = new Set(due(ledger, wouldEnd));
  return seen.size === 0 ? ledger : ledger.map((steer) => (seen.has(steer) ? { ...steer, fate: 'applied', step } : steer));
};

/**
 * Queues the steers again that the model call of `step` would have been the first to see, because that call is not made. Commands
 * keep the step in which they took effect.
 */
export const takeBack = (ledger: Ledger, step: number): { ledger: Ledger; count: number } => {
  const isUnseen = (steer: Steer) => steer.fate === 'applied' && steer.step === step && steerKinds[steer.kind].isSeen;
  const requeued = ledger.map((steer): Steer => {
    if (!isUnseen(steer)) return steer;
    const { step: _, ...rest } = steer;
    return { ...rest, fate: 'queued' };
  });
  return { ledger: requeued, count: ledger.filter(isUnseen).length };
};

/** Returns all steers that are still queued: the task ends without them. */
export const giveBack = (ledger: Ledger, reason: string): Ledger =>
  ledger.map((steer) => (steer.fate === 'queued' ? { ...steer, fate: 'returned', reason } : steer));
