/**
 * A bus without room: a stream at its limit, a server at its own, a disk that is full. What an operator asks is refused with a clear error;
 * the work of a node waits until there is room and goes on: it is neither lost nor failed, and not counted as a worker's death.
 */
import { CoxError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { pause } from '../pause.ts';

/** The write was refused, and nothing of it is stored. */
export const isFull = (cause: unknown): cause is CoxError =>
  cause instanceof CoxError && ['stream-full', 'storage-stuck'].includes(cause.code);

export const noRoom = (subject: string, cause: unknown): CoxError =>
  new CoxError('stream-full', `The bus is full: no room for ${subject}`, {
    hint: 'Nothing was stored. Purge finished tasks with `cox gc --older-than 1h`, or give the server more room (docs/operations.md); then try again.',
    cause,
  });

const firstMs = 250;
const mostMs = 5_000;

export interface BackpressureOptions {
  readonly log: Log;
  /** The bus has turned out to be full, or to have room again. Default: nothing. */
  readonly onChange?: (full: CoxError | null) => void;
  /** Each time that a write finds no room. Default: nothing. */
  readonly onRefused?: (cause: CoxError) => void;
}

/** The patience of one node. */
export class Backpressure {
  readonly #log: Log;
  readonly #onChange: (full: CoxError | null) => void;
  readonly #onLack: (cause: CoxError) => void;
  readonly #closed = new AbortController();
  #full: CoxError | null = null;

  constructor({ log, onChange = () => {}, onRefused = () => {} }: BackpressureOptions) {
    this.#log = log;
    this.#onChange = onChange;
    this.#onLack = onRefused;
  }

  /** Why the last write that was tried found no room; null where it did. */
  get full(): CoxError | null {
    return this.#full;
  }

  /** Waits for room and writes again. Once closed it waits no more. @throws what `write` throws for another reason; AbortError. */
  async wait<T>(what: string, write: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const written = await write();
        this.#found();
        return written;
      } catch (cause) {
        if (!isFull(cause)) throw cause;
        this.reportFull(what, cause);
        if (this.#closed.signal.aborted) throw cause;
        await this.pause(attempt, signal);
      }
    }
  }

  /** Somebody found no room for this. Said once, until there is room again. */
  reportFull(what: string, cause: CoxError): void {
    const isNew = this.#full === null;
    this.#full = cause;
    if (isNew) {
      this.#log.error({ err: cause, what }, 'the bus is full: work waits until there is room');
      this.#onChange(cause);
    }
    this.#onLack(cause);
  }

  #found(): void {
    if (this.#full === null) return;
    this.#full = null;
    this.#log.info('the bus has room again');
    this.#onChange(null);
  }

  /** 250 ms, 500 ms, … at most 5 s; less when the node leaves. @throws AbortError of `signal`. */
  async pause(attempt: number, signal?: AbortSignal): Promise<void> {
    const signals = [this.#closed.signal, ...(signal ? [signal] : [])];
    await pause(Math.min(firstMs * 2 ** attempt, mostMs), AbortSignal.any(signals)).catch(() => {});
    signal?.throwIfAborted();
  }

  /** The node leaves: who waits gives up, and its task goes on elsewhere or later. Idempotent. */
  close(): void {
    this.#closed.abort();
  }
}
