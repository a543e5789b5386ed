/**
 * Budgets are escrow (rule `escrow`): before a call whose backend has a price, its worst case is reserved; before a sub-task
 * starts, its slice is reserved. A reserved amount counts as spent until its bill arrives, so that the sum of all spent and
 * reserved amounts never exceeds the limit.
 */
import { spend, totalUsage, type Usage, type UsageByBackend } from './conversation.ts';

/** The money reserved for the request in flight. A task has at most one request in flight. */
export interface Reservation {
  readonly backend: string;
  /** The worst case of the request, in US dollars. */
  readonly costUsd: number;
}
/** An effect sends this before each request to a backend that has a price. */
interface Priced {
  type: 'CALL_PRICED';
  backend: string;
  /** The worst case of the request, in US dollars. */
  worstUsd: number;
  /** Set for the first request of a step. */
  first?: true;
}
/** An effect sends this when it knows the bill of a request and no reply carries that bill. */
interface Billed {
  type: 'CALL_BILLED';
  backend: string;
  usage: Usage;
}
export type Billing = Priced | Billed;

/** US dollars that each child may spend, by child number, until the child returns. */
export type Slices = Readonly<Record<string, number>>;

interface Books {
  readonly usage: UsageByBackend;
  readonly reserved: Reservation | null;
  readonly slices?: Slices;
}

/** The books of a goal: its limit, the operators' top-ups, and the slices of its children. */
interface GoalBooks extends Books {
  readonly policy: { readonly budgetUsd: number | null };
  readonly toppedUpUsd: number;
  readonly slices: Slices;
}

const sumOf = (slices: Slices): number => Object.values(slices).reduce((sum, each) => sum + each, 0);

/** US dollars that are reserved and not settled: for the request in flight and for the children's slices. */
export const outUsd = ({ reserved, slices = {} }: Pick<Books, 'reserved' | 'slices'>): number =>
  (reserved?.costUsd ?? 0) + sumOf(slices);

/**
 * US dollars that are neither spent nor reserved; null where there is no limit. The amount is negative when a backend without a
 * price reported a cost nevertheless.
 */
export const leftUsd = (limitUsd: number | null, books: Books): number | null =>
  limitUsd === null ? null : limitUsd - totalUsage(books.usage).costUsd - outUsd(books);

/** The usage of work without a bill: its whole worst case counts as spent. */
export const inDoubt = (costUsd: number): Usage => ({ inputTokens: 0, outputTokens: 0, costUsd, estimatedUsd: costUsd });

/** Settles a request whose bill will not arrive: it counts as spent at its worst case. */
export const settleInDoubt = ({ usage, reserved }: Books): Pick<Books, 'usage' | 'reserved'> => ({
  usage: reserved ? spend(usage, reserved.backend, inDoubt(reserved.costUsd)) : usage,
  reserved: null,
});

/** Reserves the worst case of a request. An earlier request that was never settled counts as spent at its worst case. */
export const reserve = (books: Books, { backend, worstUsd }: Priced): Pick<Books, 'usage' | 'reserved'> => ({
  ...settleInDoubt(books),
  reserved: { backend, costUsd: worstUsd },
});

export const bill = (usage: UsageByBackend, billed: Billed): Pick<Books, 'usage' | 'reserved'> => ({
  usage: spend(usage, billed.backend, billed.usage),
  reserved: null,
});

/**
 * The slice of each sub-task that starts now, in US dollars: an equal share of `left` among all sub-tasks that have not started
 * and the goal's own calls.
 * @param left US dollars; null: no limit.
 * @param waiting number of sub-tasks that have not started, including those that start now.
 */
export const shareOf = (left: number | null, waiting: number): number | null =>
  left === null ? null : Math.max(0, left) / (waiting + 1);

/** US dollars of a goal that are neither spent nor reserved; null: no limit. */
export const unspent = (books: GoalBooks): number | null => {
  const { budgetUsd } = books.policy;
  return leftUsd(budgetUsd === null ? null : budgetUsd + books.toppedUpUsd, books);
};

/**
 * All slices, including those of the children that start now.
 * @param starting numbers of the children that start now.
 * @param waiting number of sub-tasks that have not started, including those that start now.
 */
export function setAside(books: GoalBooks, starting: readonly (number | null)[], waiting: number): Slices {
  if (books.policy.budgetUsd === null) return books.slices;
  const share = shareOf(unspent(books), waiting) ?? 0;
  return { ...books.slices, ...Object.fromEntries(starting.map((child) => [child, share])) };
}

/** Counts every open slice as spent, because its child did not confirm that it has stopped and may still spend the money. */
export const countUnconfirmed = ({ usage, slices }: Pick<GoalBooks, 'usage' | 'slices'>): Pick<GoalBooks, 'usage' | 'slices'> => {
  const given = sumOf(slices);
  return { usage: given > 0 ? spend(usage, 'unconfirmed', inDoubt(given)) : usage, slices: {} };
};

export const without = (slices: Slices, children: readonly number[]): Slices => {
  const gone = new Set(children.map(String));
  return Object.fromEntries(Object.entries(slices).filter(([child]) => !gone.has(child)));
};

/** An amount for operators, with three significant digits. */
export const dollars = (usd: number): string => `$${Number(Math.max(0, usd).toPrecision(3))}`;
