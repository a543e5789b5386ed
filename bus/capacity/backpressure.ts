/**
 * Backpressure. The bus is full when a stream or the server has reached its limit, or when the server's disk is full. A request
 * of an operator then fails at once. A write for a task waits until the bus accepts it: the task is neither lost nor failed, and
 * no lost worker is counted. Rule `backpressure` (docs/task-protocol.md).
 */
import { CoxError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { pause } from '../pause.ts';

/** Whether the bus refused a write because it is full. Nothing of such a write is stored. */
export const isFull = (cause: unknown): cause is CoxError =>
  cause instanceof CoxError && ['stream-full', 'storage-stuck'].includes(cause.code);

/** The error of a write to `subject` that the bus refused because it is full. */
export const busFull = (subject: string, cause: unknown): CoxError =>
  new CoxError('stream-full', `The bus is full: it cannot store ${subject}`, {
    hint: 'Nothing was stored. Run `cox gc --older-than 1h` or give the server more storage (docs/operations.md), then try again.',
    cause,
  });

const firstMs = 250;
const mostMs = 5_000;

export interface BackpressureOptions {
  readonly log: Log;
  /** Called with the error when the bus turns out to be full, and with null when it accepts writes again. Default: no effect. */
  readonly onChange?: (full: CoxError | null) => void;
  /** Called for each write that the bus refuses because it is full. Default: no effect. */
  readonly onRefused?: (cause: CoxError) => void;
}

/** The backpressure of one node: repeats refused writes, and knows whether the bus is full. */
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

  /** Why the bus refused the last write; null if it accepted that write. */
  get full(): CoxError | null {
    return this.#full;
  }

  /**
   * Repeats `write` until the bus accepts it.
   * @throws CoxError `stream-full` or `storage-stuck` once closed; every other error of `write`, at once; AbortError of `signal`.
   */
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

  /** Notes that the bus refused `what`. Only the first refusal is logged until the bus accepts a write again. */
  reportFull(what: string, cause: CoxError): void {
    const isNew = this.#full === null;
    this.#full = cause;
    if (isNew) {
      this.#log.error({ err: cause, what }, 'the bus is full: writes wait until it accepts them again');
      this.#onChange(cause);
    }
    this.#onLack(cause);
  }

  #found(): void {
    if (this.#full === null) return;
    this.#full = null;
    this.#log.info('the bus accepts writes again');
    this.#onChange(null);
  }

  /**
   * Waits for 250 ms before the first retry and twice as long before each further one, at most 5 s.
   * @throws AbortError of `signal`.
   */
  async pause(attempt: number, signal?: AbortSignal): Promise<void> {
    const signals = [this.#closed.signal, ...(signal ? [signal] : [])];
    await pause(Math.min(firstMs * 2 ** attempt, mostMs), AbortSignal.any(signals)).catch(() => {});
    signal?.throwIfAborted();
  }

  /**
   * Ends all waits when the node stops. Each waiting write is tried once more, then fails; its task goes on elsewhere or later.
   * Idempotent.
   */
  close(): void {
    this.#closed.abort();
  }
}
