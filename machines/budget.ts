/**
 * Budgets are escrow (PROTOCOL line 17): before a call whose backend has a price its worst case is set aside, and before a sub-task starts its
 * slice is. What is set aside is as good as spent until the bill comes; so what has been spent and what is out never exceed the limit.
 */
import { spend, totalUsage, type Usage, type UsageByBackend } from './conversation.ts';

/** One request at most is out at a time. */
export interface Reservation {
  readonly backend: string;
  /** The most that it can cost, in US dollars. */
  readonly costUsd: number;
}
/** Said before a request goes out that has a price. */
interface Priced {
  type: 'CALL_PRICED';
  backend: string;
  /** The most that the request can cost, in US dollars. */
  worstUsd: number;
  /** No request of this step has gone out yet. */
  first?: true;
}
/** Said once the bill of a request is known, where no reply says it. */
interface Billed {
  type: 'CALL_BILLED';
  backend: string;
  usage: Usage;
}
export type Billing = Priced | Billed;

/** By the number of a child that has not returned: US dollars that it may spend. */
export type Slices = Readonly<Record<string, number>>;

interface Books {
  readonly usage: UsageByBackend;
  readonly reserved: Reservation | null;
  readonly slices?: Slices;
}

/** The books of a goal: its limit, what was added to it, and what is set aside for its children. */
interface GoalBooks extends Books {
  readonly policy: { readonly budgetUsd: number | null };
  readonly toppedUpUsd: number;
  readonly slices: Slices;
}

const sumOf = (slices: Slices): number => Object.values(slices).reduce((sum, each) => sum + each, 0);

/** What was set aside and has not been settled, in US dollars. */
export const outUsd = ({ reserved, slices = {} }: Pick<Books, 'reserved' | 'slices'>): number =>
  (reserved?.costUsd ?? 0) + sumOf(slices);

/** US dollars that are neither spent nor out; null where there is no limit. Below 0 where a backend without a price told a cost all the same. */
export const leftUsd = (limitUsd: number | null, books: Books): number | null =>
  limitUsd === null ? null : limitUsd - totalUsage(books.usage).costUsd - outUsd(books);

/** Of something without a bill: the whole of what it may have cost. */
export const inDoubt = (costUsd: number): Usage => ({ inputTokens: 0, outputTokens: 0, costUsd, estimatedUsd: costUsd });

/** A request that will not be billed any more counts at its worst case. */
export const settleInDoubt = ({ usage, reserved }: Books): Pick<Books, 'usage' | 'reserved'> => ({
  usage: reserved ? spend(usage, reserved.backend, inDoubt(reserved.costUsd)) : usage,
  reserved: null,
});

/** One that is out already and was never settled is in doubt. */
export const reserve = (books: Books, { backend, worstUsd }: Priced): Pick<Books, 'usage' | 'reserved'> => ({
  ...settleInDoubt(books),
  reserved: { backend, costUsd: worstUsd },
});

export const bill = (usage: UsageByBackend, billed: Billed): Pick<Books, 'usage' | 'reserved'> => ({
  usage: spend(usage, billed.backend, billed.usage),
  reserved: null,
});

/**
 * What each sub-task that starts now may spend: an equal share of what is left, among all that have not started and the goal's own calls.
 * @param waiting how many have not started, these included.
 */
export const shareOf = (left: number | null, waiting: number): number | null =>
  left === null ? null : Math.max(0, left) / (waiting + 1);

/** US dollars of a goal that nobody has spent and nothing is set aside for; null: no limit. */
export const unspent = (books: GoalBooks): number | null => {
  const { budgetUsd } = books.policy;
  return leftUsd(budgetUsd === null ? null : budgetUsd + books.toppedUpUsd, books);
};

/**
 * The slices with those of children that start now.
 * @param starting numbers of these children.
 * @param waiting how many sub-tasks have not started, these included.
 */
export function setAside(books: GoalBooks, starting: readonly (number | null)[], waiting: number): Slices {
  if (books.policy.budgetUsd === null) return books.slices;
  const share = shareOf(unspent(books), waiting) ?? 0;
  return { ...books.slices, ...Object.fromEntries(starting.map((child) => [child, share])) };
}

/** A child that does not confirm that it has stopped may spend all that it was given. */
export const countUnconfirmed = ({ usage, slices }: Pick<GoalBooks, 'usage' | 'slices'>): Pick<GoalBooks, 'usage' | 'slices'> => {
  const given = sumOf(slices);
  return { usage: given > 0 ? spend(usage, 'unconfirmed', inDoubt(given)) : usage, slices: {} };
};

export const without = (slices: Slices, children: readonly number[]): Slices => {
  const gone = new Set(children.map(String));
  return Object.fromEntries(Object.entries(slices).filter(([child]) => !gone.has(child)));
};

/** As an operator reads it: three digits that count. */
export const dollars = (usd: number): string => `$${Number(Math.max(0, usd).toPrecision(3))}`;
