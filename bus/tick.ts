/**
 * One tick of the event loop. Messages of one tick are sent together, in one write to the socket, because a write for each
 * message would cost more than the message. Reads of the same key share one request, sent at the end of the tick. The request
 * starts after all callers have asked, so each caller gets a state that is not older than its own call.
 * Rule `batch` (docs/task-protocol.md).
 */
export class Tick {
  readonly #asked = new Map<string, Promise<unknown>>();
  #atEnd: (() => void)[] = [];

  /** Calls `send` at the end of this tick, in the order of the calls. */
  atEnd(send: () => void): void {
    if (this.#atEnd.push(send) > 1) return;
    setImmediate(() => {
      const all = this.#atEnd;
      this.#atEnd = [];
      for (const each of all)
        try {
          each();
        } catch (cause) {
          // A defect. It must not stop the other callbacks, so it is thrown after them.
          queueMicrotask(() => {
            throw cause;
          });
        }
    });
  }

  /** Resolves at the end of this tick. */
  ended(): Promise<void> {
    return new Promise((resolve) => this.atEnd(resolve));
  }

  /**
   * Calls `ask` at the end of this tick.
   * @param key identifies the request; calls with the same key share its answer or its error.
   */
  share<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(key) as Promise<T> | undefined;
    if (asked) return asked;
    const answer = new Promise<T>((resolve) => {
      this.atEnd(() => {
        this.#asked.delete(key);
        resolve(ask());
      });
    });
    this.#asked.set(key, answer);
    return answer;
  }
}
