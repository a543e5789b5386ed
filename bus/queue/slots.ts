/** The places of a worker for tickets of one queue: no ticket is pulled that could not be started at once. */
export class Slots {
  #free: number;
  #freed = Promise.withResolvers<void>();

  constructor(count: number) {
    this.#free = count;
  }

  get free(): number {
    return this.#free;
  }

  /** Takes a place until `work` resolves or rejects. */
  take(work: Promise<void>): void {
    this.#free--;
    void work.finally(() => {
      this.#free++;
      this.wake();
    });
  }

  /** Resolves with the next `wake`. */
  changed(): Promise<void> {
    return this.#freed.promise;
  }

  /** Lets those that wait look again. */
  wake(): void {
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
