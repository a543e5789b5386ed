/**
 * Spans that wait to be exported. Invariants:
 * - A task never waits: `add` returns at once, and a full queue drops the span and counts it.
 * - One export runs at a time. A batch that the collector does not take is dropped and counted; the exporter has tried again.
 * - `stop` exports the rest, for at most its time limit. Idempotent.
 */
import type { SpanRef } from '../../bus/trace-context.ts';
import type { Log } from '../../platform/log.ts';
import type { Attributes } from './figures.ts';

export interface SpanData {
  readonly ref: SpanRef;
  readonly parent: SpanRef | null;
  readonly name: string;
  readonly kind: 'internal' | 'client' | 'consumer';
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, Attributes[string] | readonly string[]>>;
  readonly links?: readonly SpanRef[];
  /** Why it failed. Left out if it did not. */
  readonly error?: string;
}

export interface SpanQueueOptions {
  readonly maxQueue: number;
  readonly maxBatch: number;
  readonly everyMs: number;
  readonly log: Log;
  readonly onDropped: (count: number) => void;
}

/** Sends a batch. Rejects if it was not taken. */
export type SpanSender = (spans: readonly SpanData[]) => Promise<void>;

export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #send: SpanSender | null = null;
  #waiting: SpanData[] = [];
  #exporting: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #hasComplained = false;
  #stopping: Promise<void> | null = null;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  /** Spans that come before have waited. */
  open(send: SpanSender): void {
    this.#send = send;
    this.#timer = setInterval(() => void this.#export(), this.#options.everyMs);
    this.#timer.unref();
    if (this.#waiting.length > 0) void this.#export();
  }

  /** There will be no export: all spans are dropped. */
  close(): void {
    this.#stopping ??= Promise.resolve();
    this.#drop(this.#waiting.splice(0).length);
  }

  add(span: SpanData): void {
    if (this.#stopping || this.#waiting.length >= this.#options.maxQueue) {
      this.#drop(1);
      return;
    }
    this.#waiting.push(span);
    if (this.#send && this.#waiting.length >= this.#options.maxBatch) void this.#export();
  }

  /** @param limitMs what is not exported by then is dropped. */
  stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs);
    return this.#stopping;
  }

  async #stop(limitMs: number): Promise<void> {
    clearInterval(this.#timer);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, limitMs);
    await Promise.race([late.promise, this.#export()]);
    clearTimeout(timer);
    this.#drop(this.#waiting.splice(0).length);
  }

  #export(): Promise<void> {
    this.#exporting ??= this.#exportAll().finally(() => {
      this.#exporting = null;
    });
    return this.#exporting;
  }

  async #exportAll(): Promise<void> {
    const send = this.#send;
    while (send && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      try {
        await send(batch);
        this.#hasComplained = false;
      } catch (err) {
        this.#drop(batch.length);
        if (!this.#hasComplained) this.#options.log.warn({ err: String(err) }, 'the collector takes no spans: they are dropped');
        this.#hasComplained = true;
      }
    }
  }

  #drop(count: number): void {
    if (count > 0) this.#options.onDropped(count);
  }
}
