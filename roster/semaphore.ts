/**
 * A semaphore with a waiting line: urgent callers first, then in order of arrival. A caller whose signal aborts leaves the line.
 */
export class Semaphore {
  private readonly places: () => number;
  private readonly waiting: (() => void)[] = [];
  private used = 0;

  /** @param places returns the number of callers that may be inside at once. It is called each time, so the number may change. */
  constructor(places: () => number) {
    this.places = places;
  }

  get inUse(): number {
    return this.used;
  }
  get inLine(): number {
    return this.waiting.length;
  }

  /** Waits for a place and returns the function that gives it back (idempotent). @throws the signal's reason. */
  async enter(signal: AbortSignal, isUrgent = false): Promise<() => void> {
    signal.throwIfAborted();
    if (this.used >= this.places() || this.waiting.length > 0)
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          this.waiting.splice(this.waiting.indexOf(go), 1);
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        if (isUrgent) this.waiting.unshift(go);
        else this.waiting.push(go);
        this.admit();
      });
    else this.used++;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      this.used--;
      this.admit();
    };
  }

  private admit(): void {
    while (this.used < this.places()) {
      const next = this.waiting.shift();
      if (!next) return;
      // Counted here and not after the await: otherwise two callers could get the same place.
      this.used++;
      next();
    }
  }
}
