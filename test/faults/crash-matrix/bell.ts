/** Rings whenever something has happened; each waiter then looks again. */

/** Longer than any step takes, even on a busy machine. */
const patienceMs = 120_000;

export class Bell {
  #next = Promise.withResolvers<void>();

  ring(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** @returns the first look that is not null. @throws Error naming `what` when two minutes pass without a ring. */
  async until<T>(what: string, lookAgain: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const rung = this.#next.promise;
      const seen = await lookAgain();
      if (seen !== null) return seen;
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => reject(new Error(`nothing has happened for two minutes while waiting for ${what}`)),
        patienceMs,
      );
      await Promise.race([rung, gaveUp]).finally(() => clearTimeout(timer));
    }
  }
}
