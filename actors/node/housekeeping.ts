/**
 * What a node does beside its tasks: finished trees are purged now and then, and at once when the bus turns out to be full; and whoever asks
 * is told that it is. Every node does it; several at once do no harm (bus/capacity/retention.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import { Backpressure } from '../../bus/capacity/backpressure.ts';
import { onDroppedSteer } from '../../bus/capacity/dropped-publishes.ts';
import { FullNotice } from '../../bus/capacity/full-notice.ts';
import { collect } from '../../bus/capacity/retention.ts';
import { limitStreams } from '../../bus/capacity/stream-limits.ts';
import type { Retention } from '../../roster/schema.ts';

/** For what is under way when the node leaves. */
const patienceMs = 2_000;

const lostSteer = (id: string) =>
  `A steer to ${id} is lost: it came by a plain publish, and the bus is full. Say it again when there is room; cox steer says whether it was taken.`;

export interface HousekeepingOptions {
  readonly bus: Bus;
  /** Of the node. */
  readonly name: string;
  readonly retention: () => Retention;
  /** Brings back a server that stores nothing any more; null where that is not for us to do. */
  readonly revive: (() => Promise<void>) | null;
  /** What an operator at this node should know. */
  readonly note: (text: string) => void;
  /** Milliseconds from the start to the first look, and between looks. */
  readonly firstMs?: number;
  readonly everyMs?: number;
}

export class Housekeeping {
  /** For the work of this node: it waits for room. */
  readonly backpressure: Backpressure;
  readonly #options: HousekeepingOptions;
  readonly #shown: FullNotice;
  readonly #ended = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #lostSteers: { stop(): void } | null = null;
  #collecting: Promise<void> | null = null;
  #reviving: Promise<void> | null = null;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const { bus, name, note } = options;
    this.#shown = new FullNotice(bus);
    this.backpressure = new Backpressure({
      log: bus.log,
      onChange: (full) => {
        note(full ? `${full.message}. Work waits until there is room. ${full.hint}` : 'The bus has room again.');
        this.#shown.show(full && { node: name, code: full.code, message: full.message, hint: full.hint });
        this.#lostSteers?.stop();
        this.#lostSteers = full && onDroppedSteer(bus, (id) => note(lostSteer(id)));
        if (full) this.#look();
      },
      onRefused: ({ code }) => {
        if (code === 'storage-stuck') this.#revive();
      },
    });
  }

  start(): void {
    const { firstMs = 15_000, everyMs = 600_000 } = this.#options;
    this.#timers.push(
      setTimeout(() => this.#look(), firstMs),
      setInterval(() => this.#look(), everyMs),
    );
    for (const timer of this.#timers) timer.unref();
  }

  #revive(): void {
    const { bus, revive } = this.#options;
    if (!revive || this.#reviving || this.#ended.signal.aborted) return;
    this.#reviving = revive()
      .catch((err) => bus.log.error({ err }, 'the server could not be restarted, the next try will'))
      .finally(() => {
        this.#reviving = null;
      });
  }

  #look(): void {
    if (this.#collecting || this.#ended.signal.aborted) return;
    this.#collecting = this.#collect().finally(() => {
      this.#collecting = null;
    });
  }

  async #collect(): Promise<void> {
    const { bus, retention } = this.#options;
    const { finishedAfterMs, finishedBytes, streamBytes } = retention();
    try {
      // The roster may have changed since the start.
      await limitStreams(bus, streamBytes, this.#ended.signal);
      const { purged, strays } = await collect(bus, { keep: { finishedAfterMs, finishedBytes }, signal: this.#ended.signal });
      if (purged.length + strays > 0) bus.log.info({ trees: purged.map(({ root }) => root), strays }, 'purged what is finished');
    } catch (err) {
      if (this.#ended.signal.aborted || bus.nc.isClosed()) return;
      bus.log.warn({ err }, 'purging finished trees failed, the next look will again');
    }
  }

  /** Work that waits for room gives up; it goes on elsewhere, or with the next start. Idempotent. */
  async stop(): Promise<void> {
    this.backpressure.close();
    this.#shown.show(null);
    this.#lostSteers?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#ended.abort();
    // A broker that is away must not hold up a node that leaves; what is abandoned here is harmless.
    const late = AbortSignal.timeout(patienceMs);
    const tooLate = new Promise((resolve) => late.addEventListener('abort', resolve));
    await Promise.race([Promise.all([this.#collecting, this.#reviving]), tooLate]);
  }
}
