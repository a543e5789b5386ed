/**
 * Sends spans and figures to a collector, by the packages of OpenTelemetry. They are a set that is fetched when tracing is
 * configured (docs/adr/0042), so nothing here may import them, not even for their types.
 */

import type { OtelSettings } from '../../platform/otel-env.ts';
import { importFrom, type PackageSet, shippedSet } from '../../platform/package-set.ts';
import { version } from '../../platform/version.ts';
import type { Figures } from './figures.ts';
import type { Instrument } from './gen-ai.ts';
import type { SpanData, SpanSender } from './span-queue.ts';

export const tracingSet: PackageSet = { name: 'OpenTelemetry', folder: shippedSet('tracing'), bytes: 14_300_000 };

type Time = readonly [seconds: number, nanoseconds: number];
const timeOf = (ms: number): Time => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];

/** The parts of the packages that are used. */
interface Packages {
  resources: { resourceFromAttributes(attributes: object): unknown };
  spans: { OTLPTraceExporter: new (config: object) => Exporter };
  metrics: { OTLPMetricExporter: new (config: object) => object };
  sdk: {
    PeriodicExportingMetricReader: new (options: object) => object;
    MeterProvider: new (options: object) => Provider;
  };
}
interface Exporter {
  export(spans: readonly object[], done: (result: { code: number; error?: Error }) => void): void;
  shutdown(): Promise<void>;
}
interface Counter {
  add(value: number, attributes: object): void;
}
interface Histogram {
  record(value: number, attributes: object): void;
}
interface Provider {
  getMeter(
    name: string,
    version: string,
  ): {
    createCounter(name: string, options: object): Counter;
    createHistogram(name: string, options: object): Histogram;
  };
  shutdown(): Promise<void>;
}

export interface Otlp {
  /** Null if no traces are sent. */
  readonly send: SpanSender | null;
  /** Sends the figures that are left. */
  stop(): Promise<void>;
}

/** @param folder of the installed set. @param node becomes `service.instance.id`. */
export async function openOtlp(folder: string, settings: OtelSettings, figures: Figures, node: string): Promise<Otlp> {
  const load = async <Name extends keyof Packages>(name: string) =>
    (await importFrom(folder, `@opentelemetry/${name}`)) as Packages[Name];
  const { resourceFromAttributes } = await load<'resources'>('resources');
  const resource = resourceFromAttributes({
    ...{ 'service.version': version(), 'service.instance.id': node, 'telemetry.sdk.language': 'nodejs' },
    ...{ 'telemetry.sdk.name': 'opentelemetry', ...settings.resource },
  });
  // An exporter counts an export as under way until after it has called back, when the next one may have begun.
  const common = { timeoutMillis: settings.timeoutMs, concurrencyLimit: 2 };
  let exporter: Exporter | null = null;
  if (settings.tracesUrl) {
    const { OTLPTraceExporter } = await load<'spans'>('exporter-trace-otlp-proto');
    exporter = new OTLPTraceExporter({ ...common, url: settings.tracesUrl, headers: settings.tracesHeaders });
  }
  let provider: Provider | null = null;
  if (settings.metricsUrl) {
    const { OTLPMetricExporter } = await load<'metrics'>('exporter-metrics-otlp-proto');
    const { PeriodicExportingMetricReader, MeterProvider } = await load<'sdk'>('sdk-metrics');
    const sender = new OTLPMetricExporter({ ...common, url: settings.metricsUrl, headers: settings.metricsHeaders });
    const exportTimeoutMillis = Math.min(settings.timeoutMs, settings.metricsEveryMs);
    const reader = new PeriodicExportingMetricReader({
      exporter: sender,
      exportIntervalMillis: settings.metricsEveryMs,
      exportTimeoutMillis,
    });
    provider = new MeterProvider({ resource, readers: [reader] });
    follow(figures, provider);
  }
  return {
    send:
      exporter &&
      ((spans) =>
        sent(
          exporter,
          spans.map((span) => readable(span, resource)),
        )),
    async stop() {
      await Promise.allSettled([exporter?.shutdown(), provider?.shutdown()]);
    },
  };
}

const sent = (exporter: Exporter, spans: readonly object[]): Promise<void> =>
  new Promise((resolve, reject) => {
    exporter.export(spans, ({ code, error }) => {
      if (code === 0) resolve();
      else reject(error ?? new Error('the collector did not take the spans'));
    });
  });

/** A span as an exporter reads it: the interface `ReadableSpan` of @opentelemetry/sdk-trace. */
function readable({ ref, parent, name, kind, startMs, endMs, attributes, links = [], error }: SpanData, resource: unknown) {
  const contextOf = ({ traceId, spanId }: SpanData['ref']) => ({ traceId, spanId, traceFlags: 1 });
  return {
    name,
    // SpanKind, SpanStatusCode: the numbers of the API.
    kind: { internal: 0, client: 2, consumer: 4 }[kind],
    status: error === undefined ? { code: 0 } : { code: 2, message: error },
    spanContext: () => contextOf(ref),
    ...(parent && { parentSpanContext: contextOf(parent) }),
    startTime: timeOf(startMs),
    endTime: timeOf(endMs),
    duration: timeOf(endMs - startMs),
    attributes,
    links: links.map((link) => ({ context: contextOf(link), attributes: {} })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'coxswain', version: version() },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Values from before the packages were there are not sent; `/metrics` has them. */
function follow(figures: Figures, provider: Provider): void {
  const meter = provider.getMeter('coxswain', version());
  const tell = new Map<Instrument, (value: number, attributes: object) => void>();
  const teller = (instrument: Instrument) => {
    const { name, kind, unit, about: description, buckets } = instrument;
    if (kind === 'counter') {
      const counter = meter.createCounter(name, { unit, description });
      return (value: number, attributes: object) => counter.add(value, attributes);
    }
    const histogram = meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: buckets } });
    return (value: number, attributes: object) => histogram.record(value, attributes);
  };
  figures.follow((instrument, value, attributes) => {
    const known = tell.get(instrument) ?? teller(instrument);
    tell.set(instrument, known);
    known(value, attributes);
  });
}
