/**
 * Scans that read many messages for a list. Any client can ask for lists at any rate, so few scans run at a time and share their
 * outcome: a caller joins a scan of the same messages that has not begun yet, so it gets no state older than its own call.
 */

/** Number of scans that run at the same time. A second one lets the tree of one goal not wait for the list of all tasks. */
const mostRunning = 2;

export class Scans {
  readonly #waiting = new Map<string, Promise<unknown>>();
  readonly #line: (() => void)[] = [];
  #running = 0;

  /**
   * @param key says which messages are read. Callers with the same key share one outcome, which they must not change, or one error.
   */
  share<T>(key: string, scan: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key) as Promise<T> | undefined;
    if (waiting) return waiting;
    const begun = this.#turn().then(() => {
      this.#waiting.delete(key);
      return scan();
    });
    const shared = begun.finally(() => this.#next());
    this.#waiting.set(key, shared);
    return shared;
  }

  async #turn(): Promise<void> {
    if (this.#running < mostRunning) this.#running++;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
  }

  /** Hands the place of a scan that has ended to the next in line. */
  #next(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#running--;
  }
}
