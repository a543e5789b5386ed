/** A waiting line for something that only so many may use at once: urgent callers first, else first come, first served; whoever gives up leaves it. */
export class Semaphore {
  private readonly places: () => number;
  private readonly waiting: (() => void)[] = [];
  private used = 0;

  /** @param places how many at once; asked each time, so that it can change. */
  constructor(places: () => number) {
    this.places = places;
  }

  get inUse(): number {
    return this.used;
  }
  get inLine(): number {
    return this.waiting.length;
  }

  /** Resolves when it is the caller's turn, with the function that gives the place back (idempotent). @throws the signal's reason. */
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
      // Counted here, not after the await: else two could be let in for one place.
      this.used++;
      next();
    }
  }
}
