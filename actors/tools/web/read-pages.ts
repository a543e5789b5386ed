/** Pages that a task has begun to read, so that their next parts need no second request. */

export interface BegunPage {
  /** The address after redirects. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
  /** Remarks of the runtime about the page, one line each. */
  readonly remarks: readonly string[];
}

const maxPages = 16;
const keptMs = 600_000;

export class ReadPages {
  readonly #pages = new Map<string, { readonly page: BegunPage; readonly until: number }>();

  get(key: string): BegunPage | null {
    const kept = this.#pages.get(key);
    return kept && kept.until > Date.now() ? kept.page : null;
  }

  keep(key: string, page: BegunPage): void {
    this.#pages.delete(key);
    this.#pages.set(key, { page, until: Date.now() + keptMs });
    if (this.#pages.size > maxPages) this.#pages.delete(this.#pages.keys().next().value!);
  }
}
