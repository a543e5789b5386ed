/** The slots of a worker for the tickets of one queue. A worker pulls only tickets that it can start at once. */
export class Slots {
  #free: number;
  #freed = Promise.withResolvers<void>();

  constructor(count: number) {
    this.#free = count;
  }

  get free(): number {
    return this.#free;
  }

  /** Occupies a slot until `work` resolves or rejects. */
  take(work: Promise<void>): void {
    this.#free--;
    void work.finally(() => {
      this.#free++;
      this.wake();
    });
  }

  /** Resolves at the next `wake`. */
  changed(): Promise<void> {
    return this.#freed.promise;
  }

  /** Resolves every pending `changed`. */
  wake(): void {
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
