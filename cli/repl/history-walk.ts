/** Walks through the history from a half-typed text, which is there again at the end of the way. */

export class HistoryWalk {
  readonly #entries: () => readonly string[];
  /** The text before the walk; null while nobody walks. */
  #draft: string | null = null;
  /** The entry shown: 0 is the newest, -1 the half-typed text. */
  #at = -1;

  /** @param entries newest first. */
  constructor(entries: () => readonly string[]) {
    this.#entries = entries;
  }

  /** The next older entry that begins with the text before the walk, and differs from the one shown. Null: there is none. */
  older(typed: string): string | null {
    const draft = this.#draft ?? typed;
    const shown = this.#at < 0 ? draft : this.#entries()[this.#at];
    const at = this.#entries().findIndex((entry, i) => i > this.#at && entry.startsWith(draft) && entry !== shown);
    if (at < 0) return null;
    this.#draft = draft;
    this.#at = at;
    return this.#entries()[at]!;
  }

  /** The next newer entry, and at last the text before the walk. Null: nobody walks. */
  newer(): string | null {
    const draft = this.#draft;
    if (draft === null) return null;
    const shown = this.#entries()[this.#at];
    this.#at = this.#entries().findLastIndex((entry, i) => i < this.#at && entry.startsWith(draft) && entry !== shown);
    if (this.#at >= 0) return this.#entries()[this.#at]!;
    this.#draft = null;
    return draft;
  }

  /** The walk ends where it is, because its text was changed or sent. */
  end(): void {
    this.#draft = null;
    this.#at = -1;
  }
}

export interface Search {
  readonly query: string;
  /** The entry found; -1: none. */
  readonly at: number;
}

/** The newest entry from `from` on that contains the words. A search that finds nothing stays at what it had found. */
export function searched(entries: readonly string[], query: string, from: number): number {
  return query === '' ? -1 : entries.findIndex((entry, i) => i >= from && entry.toLowerCase().includes(query.toLowerCase()));
}
