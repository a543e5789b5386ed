/** Gives events to every listener, each with a queue of its own. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event | null) => void>();
  #isClosed = false;

  tell(event: Event): void {
    for (const listen of this.#listeners) listen(event);
  }

  /** Ends the events of all listeners, after those that were told before. */
  close(): void {
    this.#isClosed = true;
    for (const listen of this.#listeners) listen(null);
    this.#listeners.clear();
  }

  /** The events from this call on, until the signal fires or `close` is called. */
  events(signal: AbortSignal): AsyncIterable<Event> {
    const heard: (Event | null)[] = this.#isClosed || signal.aborted ? [null] : [];
    let news = Promise.withResolvers<void>();
    const listen = (event: Event | null) => {
      heard.push(event);
      news.resolve();
    };
    const end = () => listen(null);
    // Subscribed now and not at the first read, so that no event in between is missed.
    this.#listeners.add(listen);
    signal.addEventListener('abort', end, { once: true });
    const leave = () => {
      this.#listeners.delete(listen);
      signal.removeEventListener('abort', end);
    };
    return (async function* () {
      try {
        for (;;) {
          for (const event of heard.splice(0)) {
            if (event === null) return;
            yield event;
          }
          if (heard.length > 0) continue;
          await news.promise;
          news = Promise.withResolvers();
        }
      } finally {
        leave();
      }
    })();
  }
}
