/**
 * The observer of a node: makes spans and figures, and sends them to a collector if one is configured. It is loaded only then, or
 * if `/metrics` is served. Nothing here makes a task wait or fail (docs/adr/0042).
 */
import type { Failure } from '../../bus/messages.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { isSampled, traceIdOf } from '../../bus/trace-context.ts';
import type { DownloadOptions } from '../../platform/download.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import type { Log } from '../../platform/log.ts';
import type { OtelSettings } from '../../platform/otel-env.ts';
import { obtainPackages } from '../../platform/package-set.ts';
import type { Backends } from '../../roster/backends.ts';
import type { NodeObserver, ObservedTask, TaskObserver } from '../host/observer.ts';
import { Figures } from './figures.ts';
import { figure } from './gen-ai.ts';
import { observedBackends } from './observed-calls.ts';
import { type Otlp, openOtlp, tracingSet } from './otlp.ts';
import { type SpanData, SpanQueue } from './span-queue.ts';
import { countCall, endTask, TaskTrace } from './task-trace.ts';

export interface TelemetryOptions {
  /** Null: nothing is sent; figures are kept for `/metrics`. */
  readonly settings: OtelSettings | null;
  readonly namespace: string;
  /** Name of the node. */
  readonly node: string;
  readonly now: () => Date;
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly onProgress: NonNullable<DownloadOptions['onProgress']>;
  /** Tells the operator that a setting is not honoured, or that nothing is sent. */
  readonly note: (text: string) => void;
}

/** How long a node that ends waits for its collector (ms). */
const goodbyeMs = 2_000;

export class Telemetry implements NodeObserver {
  readonly figures = new Figures();
  readonly #options: TelemetryOptions;
  readonly #queue: SpanQueue | null;
  readonly #opening = new AbortController();
  readonly #opened: Promise<Otlp | null>;
  #stopping: Promise<void> | null = null;

  constructor(options: TelemetryOptions) {
    const { settings, log, note } = options;
    this.#options = options;
    for (const problem of settings?.problems ?? []) note(`Telemetry: ${problem}`);
    this.#queue =
      settings?.tracesUrl == null
        ? null
        : new SpanQueue({
            maxQueue: settings.maxQueue,
            maxBatch: settings.maxBatch,
            everyMs: settings.spansEveryMs,
            log,
            onDropped: (count) => this.figures.add(figure.dropped, count),
          });
    this.#opened =
      settings && (settings.tracesUrl ?? settings.metricsUrl) !== null ? this.#open(settings) : Promise.resolve(null);
  }

  task(task: ObservedTask): TaskObserver {
    return new TaskTrace({ ...this.#about(task.record), now: () => this.#options.now().getTime() }, task);
  }

  endedWithout(record: StateRecord, failure: Failure | null): void {
    endTask(this.#about(record), record, null, { failure, atMs: this.#options.now().getTime() });
  }

  backends(backends: Backends): Backends {
    return observedBackends(
      backends,
      () => this.#options.now().getTime(),
      () => (call) => countCall(this.figures, call),
    );
  }

  /** Sends what is left, for at most two seconds. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #about({ id }: StateRecord) {
    const { namespace, node, settings } = this.#options;
    const isKept = this.#queue !== null && isSampled(traceIdOf(namespace, id), settings?.ratio ?? 1);
    return {
      ...{ namespace, node, figures: this.figures },
      span: isKept ? (span: SpanData) => this.#add(span) : null,
      capturesContent: settings?.capturesContent ?? false,
    };
  }

  #add(span: SpanData): void {
    this.figures.add(figure.spans, 1);
    this.#queue?.add(span);
  }

  /** The packages may have to be fetched first, and no task waits for that. */
  async #open(settings: OtelSettings): Promise<Otlp | null> {
    const { folders, env, log, onProgress, note, node } = this.#options;
    try {
      const { signal } = this.#opening;
      const folder = await obtainPackages(tracingSet, { folder: folders.cache, log, env, signal, onProgress });
      const otlp = await openOtlp(folder, settings, this.figures, node);
      if (otlp.send) this.#queue?.open(otlp.send);
      return otlp;
    } catch (err) {
      this.#queue?.close();
      if (this.#opening.signal.aborted) return null;
      log.warn({ err }, 'telemetry is off');
      note(`Telemetry is off: ${messageOf(err)}. \`cox doctor --install tracing\` fetches what it needs.`);
      return null;
    }
  }

  async #stop(): Promise<void> {
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), goodbyeMs);
    const otlp = await Promise.race([this.#opened, late.promise]);
    if (!otlp) this.#opening.abort();
    await this.#queue?.stop(goodbyeMs);
    await Promise.race([otlp?.stop(), late.promise]);
    clearTimeout(timer);
  }
}
