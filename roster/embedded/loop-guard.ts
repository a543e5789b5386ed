/**
 * Detects a reply that repeats itself, as small models do when they have nothing more to say. Only exact and immediate repetition
 * is a loop: a list of similar items is not, and a quotation from the prompt is not.
 */
export class LoopGuard<Token> {
  readonly #tokens: Token[] = [];
  #forbidden: Token | null = null;
  #escapes = 0;

  /** The token that would begin the same loop once more; null when there is no loop. */
  get forbidden(): Token | null {
    return this.#forbidden;
  }

  /** True if the reply had to be led out of loops `maxEscapes` times, so that nothing new is to be expected. */
  get isLost(): boolean {
    return this.#escapes >= maxEscapes;
  }

  push(token: Token): void {
    if (this.#forbidden !== null && token !== this.#forbidden) this.#escapes++;
    this.#tokens.push(token);
    const period = this.#period();
    this.#forbidden = period === null ? null : this.#tokens.at(-period)!;
  }

  #period(): number | null {
    for (let period = 1; period <= longestPeriod; period++) {
      const least = Math.max(2 * period, shortestLoop);
      if (this.#tokens.length < least) return null;
      if (this.#repeats(period, least)) return period;
    }
    return null;
  }

  /** Whether the last `length` tokens repeat with this period. */
  #repeats(period: number, length: number): boolean {
    const end = this.#tokens.length;
    for (let at = end - 1; at >= end - length + period; at--) {
      if (this.#tokens[at] !== this.#tokens[at - period]) return false;
    }
    return true;
  }
}

/** Tokens. The length of a long paragraph. */
const longestPeriod = 160;
/** Tokens. A line of dashes or a few equal numbers are not yet a loop. */
const shortestLoop = 28;
const maxEscapes = 3;
