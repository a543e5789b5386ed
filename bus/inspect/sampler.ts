/**
 * Bounds a stream of messages about many actors. While there is room each passes. Beyond it an event is left out and counted, and
 * of the states of an actor only the latest is kept until there is room: the last state that a reader sees is the true one.
 */

export type Sort = 'actor' | 'event' | 'snapshot';

export interface SamplerOptions<T> {
  readonly perSecond: number;
  readonly burst: number;
  /** @param skipped number of messages about the same actor that were left out before this one. */
  readonly send: (message: T, skipped: number) => void;
  /** In ms, monotonous. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Most actors whose latest state waits. */
const mostWaiting = 2_000;
const retryMs = 100;

export class Sampler<T> {
  readonly #options: SamplerOptions<T>;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;
  /** By sort and actor. A message is made only when it is sent. */
  readonly #waiting = new Map<string, { readonly actor: string; readonly make: () => T }>();
  readonly #skipped = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SamplerOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = options.burst;
    this.#filledAt = this.#now();
  }

  /** @param make called at once, later, or never. */
  offer(actor: string, sort: Sort, make: () => T): void {
    if (this.#takesRoom()) {
      this.#waiting.delete(`${sort} ${actor}`);
      this.#send(actor, make);
      return;
    }
    if (sort === 'event') this.skip(actor);
    else this.#keep(`${sort} ${actor}`, actor, make);
    this.#timer ??= setTimeout(() => this.#flush(), retryMs);
    this.#timer.unref();
  }

  /** Counts a message about the actor that its maker has left out. */
  skip(actor: string): void {
    if (this.#skipped.size >= mostWaiting && !this.#skipped.has(actor)) this.#skipped.clear();
    this.#skipped.set(actor, (this.#skipped.get(actor) ?? 0) + 1);
  }

  /** Forgets what waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#skipped.clear();
  }

  #keep(key: string, actor: string, make: () => T): void {
    if (this.#waiting.delete(key)) this.skip(actor);
    this.#waiting.set(key, { actor, make });
    if (this.#waiting.size > mostWaiting) this.#waiting.delete(this.#waiting.keys().next().value!);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const [key, { actor, make }] of this.#waiting) {
      if (!this.#takesRoom()) break;
      this.#waiting.delete(key);
      this.#send(actor, make);
    }
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#flush(), retryMs);
    this.#timer.unref();
  }

  #send(actor: string, make: () => T): void {
    const skipped = this.#skipped.get(actor) ?? 0;
    this.#skipped.delete(actor);
    this.#options.send(make(), skipped);
  }

  #takesRoom(): boolean {
    const { perSecond, burst } = this.#options;
    const now = this.#now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
