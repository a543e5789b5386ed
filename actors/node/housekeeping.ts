/**
 * The work of a node beside its tasks: it purges finished trees every ten minutes, and at once when the bus is full. It also
 * answers clients that ask whether the bus is full. Every node does this; several at once do no harm (bus/capacity/retention.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import { Backpressure } from '../../bus/capacity/backpressure.ts';
import { onDroppedSteer } from '../../bus/capacity/dropped-publishes.ts';
import { FullNotice } from '../../bus/capacity/full-notice.ts';
import { collect } from '../../bus/capacity/retention.ts';
import { limitStreams } from '../../bus/capacity/stream-limits.ts';
import { within } from '../../bus/pause.ts';
import { doesChores } from '../../bus/team/chores.ts';
import type { Retention } from '../../roster/schema.ts';

/** For how long a node that leaves waits for its purge or server restart to finish, in ms. */
const patienceMs = 2_000;

const lostSteer = (id: string) =>
  `A steer to ${id} is lost: a plain publish sent it while the bus was full. Send it again; \`cox steer\` tells whether it was taken.`;

export interface HousekeepingOptions {
  readonly bus: Bus;
  /** The name of the node. */
  readonly name: string;
  readonly retention: () => Retention;
  /** Restarts an embedded server that no longer acknowledges writes. Null if the server is not embedded. */
  readonly revive: (() => Promise<void>) | null;
  /** Shows a remark to the operator at this node. */
  readonly note: (text: string) => void;
  /** Milliseconds from the start to the first purge. Default: 15 s. */
  readonly firstMs?: number;
  /** Milliseconds between two purges. Default: 10 minutes. */
  readonly everyMs?: number;
}

export class Housekeeping {
  /** Makes the writes of this node's tasks wait while the bus is full. */
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
        note(full ? `${full.message}. Work waits until the bus accepts writes. ${full.hint}` : 'The bus accepts writes again.');
        this.#shown.show(full && { node: name, code: full.code === 'storage-stuck' ? full.code : 'stream-full' });
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
      .catch((err) => bus.log.error({ err }, 'the server could not be restarted; the next refused write starts another try'))
      .finally(() => {
        this.#reviving = null;
      });
  }

  #look(): void {
    if (this.#collecting || this.#ended.signal.aborted || !doesChores(this.#options.bus)) return;
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
      if (purged.length + strays > 0) bus.log.info({ trees: purged.map(({ root }) => root), strays }, 'purged finished trees');
    } catch (err) {
      if (this.#ended.signal.aborted || bus.nc.isClosed()) return;
      bus.log.warn({ err }, 'purging finished trees failed; the next purge tries again');
    }
  }

  /** Writes that wait because the bus is full give up; their tasks go on elsewhere or after the next start. Idempotent. */
  async stop(): Promise<void> {
    this.backpressure.close();
    this.#shown.show(null);
    this.#lostSteers?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#ended.abort();
    // An unreachable broker must not delay a node that leaves. Abandoning this work is harmless.
    await within(patienceMs, Promise.all([this.#collecting, this.#reviving]));
  }
}
