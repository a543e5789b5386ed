/**
 * The places for pages in one browser. A place is taken before a page is opened and is free once it has closed, so that there are
 * never more pages than places, however many are opened at once.
 */

export interface Place {
  /** The page has closed. Idempotent. */
  readonly free: () => void;
  /** The page could not be opened: frees the place. @throws the cause. */
  readonly failed: (cause: unknown) => never;
}

export class Places {
  readonly #most: number;
  readonly #closeOne: () => Promise<boolean>;
  #taken = 0;
  /** Those who want a place come one after another, so that each closes a page for itself alone. */
  #turn: Promise<unknown> = Promise.resolve();
  #changed = Promise.withResolvers<void>();

  /**
   * @param closeOne closes a page to make room; false if there is none to be closed, because all are being opened. It throws once
   * nothing is opened any more.
   */
  constructor(most: number, closeOne: () => Promise<boolean>) {
    this.#most = most;
    this.#closeOne = closeOne;
  }

  take(): Promise<Place> {
    const turn = this.#turn.then(() => this.#take());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** To be called when a page has become one that can be closed, and when nothing is opened any more. */
  changed(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #take(): Promise<Place> {
    while (this.#taken >= this.#most) {
      const { promise: changed } = this.#changed;
      if (!(await this.#closeOne())) await changed;
    }
    this.#taken++;
    let isTaken = true;
    const free = () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      this.changed();
    };
    return {
      free,
      failed: (cause) => {
        free();
        throw cause;
      },
    };
  }
}
