/**
 * The model serves one call at a time; later calls wait in line, first in, first out.
 * After a steer, the next call arrives before the server sees the old connection close, so a busy slot must queue and never
 * refuse.
 */
export class Slot {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits for the slot and returns the function that frees it (idempotent). @throws the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy) await this.#turn(signal);
    this.#busy = true;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      // The slot goes directly to the next call without becoming free, so that no new call can jump the line.
      if (next) next();
      else this.#busy = false;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const place = this.#waiting.indexOf(turn);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal.reason);
      };
      this.#waiting.push(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
