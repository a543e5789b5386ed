/**
 * Notices that a reply goes round in circles, as small models do when they have nothing more to say. Only exact repetition counts, right
 * after itself: a list of like items is no loop, nor is quoting what was read.
 */
export class LoopGuard<Token> {
  readonly #tokens: Token[] = [];
  #forbidden: Token | null = null;
  #escapes = 0;

  /** The token that would begin the same round once more; null when there is no loop. */
  get forbidden(): Token | null {
    return this.#forbidden;
  }

  /** It was led out of loops several times and has found another one: nothing new is to be expected. */
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

/** Tokens; a long paragraph. */
const longestPeriod = 160;
/** Tokens: a line of dashes or a few equal numbers are no loop yet. */
const shortestLoop = 28;
const maxEscapes = 3;
