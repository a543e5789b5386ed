/** Ends a text at the first stop word, even if the word arrives in pieces. The word itself is left out. */
export class StopWords {
  readonly #words: readonly string[];
  #held = '';

  constructor(words: readonly string[]) {
    this.#words = words.filter((word) => word !== '');
  }

  push(text: string): { out: string; stopped: boolean } {
    const all = this.#held + text;
    const found = this.#words.map((word) => all.indexOf(word)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#held = '';
      return { out: all.slice(0, Math.min(...found)), stopped: true };
    }
    const keep = Math.max(0, ...this.#words.map((word) => overlap(all, word)));
    this.#held = all.slice(all.length - keep);
    return { out: all.slice(0, all.length - keep), stopped: false };
  }

  /** The buffered text at the end, which turned out to be no stop word. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}

/** The number of characters at the end of `text` that are the beginning of `word`. */
function overlap(text: string, word: string): number {
  for (let length = Math.min(word.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}
