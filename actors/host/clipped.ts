/** Cuts texts that are too long for what they are put into. Each cut says how much is missing. */
import { beginningOf } from '../../platform/cut.ts';
import { estimateTokens, unitsWithin } from '../../roster/tokens.ts';

/** Longest finding that a result or a carryover keeps of one message, in characters: a model reads it again. */
const maxFoundChars = 2_000;
/** The mark of a cut is not longer than this, in characters. */
const markChars = 64;

/** A text cut to `maxChars`, with a mark that says how much is missing. */
export function clipped(text: string, maxChars = maxFoundChars): string {
  const kept = beginningOf(text, maxChars);
  const left = text.length - kept.length;
  return left > 0 ? `${kept} [… ${left.toLocaleString('en')} more characters]` : text;
}

/** Texts that take at most `maxTokens` together, by estimate and without the marks. The longest ones are cut. */
export function clippedToTokens(texts: readonly string[], maxTokens: number): string[] {
  const shares = fairShares(texts.map(estimateTokens), maxTokens);
  return texts.map((text, i) => clipped(text, unitsWithin(text, shares[i]!)));
}

/** Texts that have at most `maxChars` together, marks included. The longest ones are cut. */
export function clippedToChars(texts: readonly string[], maxChars: number): string[] {
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  if (total <= maxChars) return [...texts];
  const shares = fairShares(
    texts.map(({ length }) => length),
    maxChars - texts.length * markChars,
  );
  return texts.map((text, i) => clipped(text, shares[i]!));
}

/** Divides `total` in equal shares. A size below its share is given whole, and the other sizes divide what it leaves. */
export function fairShares(sizes: readonly number[], total: number): number[] {
  const shares = sizes.map(() => 0);
  let left = Math.max(0, Math.floor(total));
  const bySize = sizes.map((size, i) => ({ size, i })).sort((a, b) => a.size - b.size);
  for (const [rank, { size, i }] of bySize.entries()) {
    shares[i] = Math.min(size, Math.floor(left / (sizes.length - rank)));
    left -= shares[i];
  }
  return shares;
}
