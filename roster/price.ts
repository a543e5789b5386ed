/** The price of a backend, and the limit on its replies without which a price has no worst case. */

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** @param cost null where the price is not known. */
export const hasPrice = ({ cost }: { readonly cost: Price | null }): boolean => cost !== null && cost.input + cost.output > 0;

/** Tokens of one reply, for a backend that has a price and no `max_output`. */
export const defaultMaxOutput = 8_192;
