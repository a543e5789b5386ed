/**
 * The standard variables of OpenTelemetry, as far as Coxswain honours them. Reading them loads no package of OpenTelemetry.
 * Source: the specification's "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".
 */

export interface OtelSettings {
  /** Where spans go; null: nowhere. */
  readonly tracesUrl: string | null;
  /** Where metrics go; null: nowhere. */
  readonly metricsUrl: string | null;
  readonly tracesHeaders: Readonly<Record<string, string>>;
  readonly metricsHeaders: Readonly<Record<string, string>>;
  /** Attributes of the process: OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME. */
  readonly resource: Readonly<Record<string, string>>;
  /** The share of traces that is kept, from 0 to 1. */
  readonly ratio: number;
  /** Whether prompts, replies, arguments and results of tools are recorded. */
  readonly capturesContent: boolean;
  /** The most spans that wait to be exported. */
  readonly maxQueue: number;
  readonly maxBatch: number;
  /** Milliseconds between two exports of spans, and of metrics. */
  readonly spansEveryMs: number;
  readonly metricsEveryMs: number;
  /** Milliseconds after which an export is given up. */
  readonly timeoutMs: number;
  /** Settings that are not honoured, in words for the operator. */
  readonly problems: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

const localCollector = 'http://localhost:4318';

/** @returns null if no exporter is configured, or OTEL_SDK_DISABLED is `true`. */
export function otelSettings(env: Env): OtelSettings | null {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return null;
  const problems: string[] = [];
  const tracesUrl = urlOf(env, 'TRACES', problems);
  const metricsUrl = urlOf(env, 'METRICS', problems);
  if (tracesUrl === null && metricsUrl === null && problems.length === 0) return null;
  const all = pairs(env.OTEL_EXPORTER_OTLP_HEADERS, 'OTEL_EXPORTER_OTLP_HEADERS', problems);
  const own = (name: string) => ({ ...all, ...pairs(env[name], name, problems) });
  const resource = pairs(env.OTEL_RESOURCE_ATTRIBUTES, 'OTEL_RESOURCE_ATTRIBUTES', problems);
  const serviceName = env.OTEL_SERVICE_NAME?.trim() || resource['service.name'] || 'coxswain';
  return {
    tracesUrl,
    metricsUrl,
    tracesHeaders: own('OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
    metricsHeaders: own('OTEL_EXPORTER_OTLP_METRICS_HEADERS'),
    resource: { ...resource, 'service.name': serviceName },
    ratio: ratioOf(env, problems),
    capturesContent: env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT?.trim().toLowerCase() === 'true',
    maxQueue: wholeNumber(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2048, problems),
    maxBatch: wholeNumber(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, problems),
    spansEveryMs: wholeNumber(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000, problems),
    metricsEveryMs: wholeNumber(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000, problems),
    timeoutMs: wholeNumber(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, problems),
    problems,
  };
}

/** An endpoint for one signal is used as it is; the common one gets the path of the signal. */
function urlOf(env: Env, signal: 'TRACES' | 'METRICS', problems: string[]): string | null {
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim() || null;
  if (exporter === 'none') return null;
  if (exporter !== null && exporter !== 'otlp') {
    problems.push(`OTEL_${signal}_EXPORTER is ${exporter}; only otlp and none are known`);
    return null;
  }
  const own = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]?.trim();
  const common = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || (exporter === 'otlp' ? localCollector : '');
  const text = own || (common && `${common.replace(/\/$/, '')}/v1/${signal.toLowerCase()}`);
  if (!text) return null;
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`]?.trim() || env.OTEL_EXPORTER_OTLP_PROTOCOL?.trim();
  if (protocol && protocol !== 'http/protobuf') {
    problems.push(`the OTLP protocol ${protocol} is not spoken; http/protobuf is`);
    return null;
  }
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  problems.push(`the OTLP endpoint for ${signal.toLowerCase()} is not an http or https URL`);
  return null;
}

/** `key=value,key=value`, where values are percent-encoded. A part that is no pair is left out and not shown: it may be a key. */
function pairs(text: string | undefined, name: string, problems: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of (text ?? '').split(',').filter((it) => it.trim())) {
    const at = part.indexOf('=');
    const key = part.slice(0, Math.max(0, at)).trim();
    try {
      if (!/^[\w.\-/*]{1,256}$/.test(key)) throw new URIError();
      found[key] = decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      problems.push(`${name} has a part that is not key=value`);
    }
  }
  return found;
}

/** The trace of a tree has no parent elsewhere, so a sampler that asks its parent first decides as its root sampler does. */
function ratioOf(env: Env, problems: string[]): number {
  const sampler = env.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_always_on';
  const root = sampler.replace(/^parentbased_/, '');
  if (root === 'always_on') return 1;
  if (root === 'always_off') return 0;
  if (root !== 'traceidratio') {
    problems.push(`OTEL_TRACES_SAMPLER is ${sampler}, which is not known: every trace is kept`);
    return 1;
  }
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG?.trim() || 1);
  if (ratio >= 0 && ratio <= 1) return ratio;
  problems.push('OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1: every trace is kept');
  return 1;
}

function wholeNumber(env: Env, name: string, otherwise: number, problems: string[]): number {
  const text = env[name]?.trim();
  if (!text) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0 && value < 2 ** 31) return value;
  problems.push(`${name} is not a positive whole number: ${otherwise} is used`);
  return otherwise;
}
