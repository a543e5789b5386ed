/** Rings whenever something has happened; whoever waits looks again. */

/** Long past what any step takes, also on a crowded machine: whoever waits that long waits for nothing. */
const patienceMs = 120_000;

export class Bell {
  #next = Promise.withResolvers<void>();

  ring(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** @returns the first look that is not null. @throws Error naming what never came. */
  async until<T>(what: string, lookAgain: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const rung = this.#next.promise;
      const seen = await lookAgain();
      if (seen !== null) return seen;
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new Error(`it waited in vain for ${what}`)), patienceMs);
      await Promise.race([rung, gaveUp]).finally(() => clearTimeout(timer));
    }
  }
}
