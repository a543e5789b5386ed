/** The price of a backend, and the default limit on its replies, which gives a call with a price a worst case. */

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** @param cost null where the price is unknown. */
export const hasPrice = ({ cost }: { readonly cost: Price | null }): boolean => cost !== null && cost.input + cost.output > 0;

/** Maximum number of tokens of one reply, for a backend that has a price and no `max_output`. */
export const defaultMaxOutput = 8_192;

/** The price of the reference that the roster names; null if it names none. */
export function referencePrice({ pricing: { reference }, backends }: ReferenceOf): Price | null {
  if (typeof reference !== 'string') return reference;
  return Object.hasOwn(backends, reference) ? (backends[reference]?.cost ?? null) : null;
}
interface ReferenceOf {
  readonly pricing: { readonly reference: string | Price | null };
  readonly backends: Readonly<Record<string, { readonly cost: Price | null }>>;
}
