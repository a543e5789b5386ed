/** Lines that were entered and wait to be handled, in order. */
export class LineQueue {
  readonly #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  #hasEnded = false;

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  push(line: string): void {
    if (this.#hasEnded) return;
    this.#lines.push(line);
    this.#news.resolve();
  }

  /** No more lines come. Those that were entered before are still handled. Idempotent. */
  end(): void {
    this.#hasEnded = true;
    this.#news.resolve();
  }

  /** Yields each line once. */
  async *all(): AsyncGenerator<string> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#lines.shift()!;
      if (this.#hasEnded) return;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }
}
