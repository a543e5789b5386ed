/**
 * One turn of the event loop. What is to be sent in it goes together, by one write to the socket: a write for each message would cost more than
 * the message. What is asked for several times is asked of the server once, after the last has asked: a read that decides stays one, since it
 * starts after everyone who shares it wanted to know.
 * Rule `batch` (docs/task-protocol.md).
 */
export class Tick {
  readonly #asked = new Map<string, Promise<unknown>>();
  #atEnd: (() => void)[] = [];

  atEnd(send: () => void): void {
    if (this.#atEnd.push(send) > 1) return;
    setImmediate(() => {
      const all = this.#atEnd;
      this.#atEnd = [];
      for (const each of all)
        try {
          each();
        } catch (cause) {
          // A defect; what the others have to send goes all the same.
          queueMicrotask(() => {
            throw cause;
          });
        }
    });
  }

  /** Resolves once this turn is over. */
  ended(): Promise<void> {
    return new Promise((resolve) => this.atEnd(resolve));
  }

  /** @param key names the question; whoever gives the same one gets the same answer, or the same error. */
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
