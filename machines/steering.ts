/**
 * The steering ledger: every message an operator sent to a task, in the stream's order, and what became of it. Queue and receipts in one:
 * the host derives receipts from how an entry changed between two commits (DESIGN G: every steer ends in exactly one final receipt).
 */

/** `now` interrupts what may be interrupted, `next-step` waits for the next model call, `after` until the task would otherwise end. */
export const urgencies = ['now', 'next-step', 'after'] as const;
export type Urgency = (typeof urgencies)[number];

/**
 * Every kind of steer. `isSeen`: it is applied when a model call has seen it; the others take effect at once. `isQueued`: its receipts say
 * that it was queued, also where one commit queues and applies it.
 */
export const steerKinds = {
  steer: { isSeen: true, isQueued: true },
  redirect: { isSeen: true, isQueued: true },
  answer: { isSeen: true, isQueued: false },
  swap: { isSeen: false, isQueued: false },
  budget: { isSeen: false, isQueued: false },
  pause: { isSeen: false, isQueued: false },
  resume: { isSeen: false, isQueued: false },
  cancel: { isSeen: false, isQueued: false },
  /** A change of a goal's plan. */
  plan: { isSeen: false, isQueued: false },
} as const;
export type SteerKind = keyof typeof steerKinds;

export interface Steer {
  readonly id: string;
  readonly kind: SteerKind;
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
  const isUnseen = (steer: Steer) => steer.fate === 'applied' && steer.step === step && steerKinds[steer.kind].isSeen;
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
