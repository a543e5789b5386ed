/**
 * One turn of the event loop: what is asked for in it several times is asked of the server once, after the last has asked. A read that decides
 * stays one: it starts after everyone who shares it wanted to know.
 */
export class Turn {
  readonly #asked = new Map<string, Promise<unknown>>();

  /** @param key names the question; whoever gives the same one gets the same answer, or the same error. */
  once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(key) as Promise<T> | undefined;
    if (asked) return asked;
    const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#asked.delete(key);
      return ask();
    });
    this.#asked.set(key, answer);
    return answer;
  }
}
