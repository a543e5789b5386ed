import { expect, test } from 'vitest';
import { otelSettings } from '../../platform/otel-env.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

test('telemetry is off unless an exporter is configured, and OTEL_SDK_DISABLED switches it off', () => {
  expect(otelSettings({})).toBeNull();
  expect(otelSettings({ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' })).toBeNull();
  expect(otelSettings({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toBeNull();
  expect(otelSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' })).toBeNull();
});

test('the common endpoint gets the path of the signal, and an endpoint of one signal is used as it is', () => {
  expect(otelSettings(endpoint)).toMatchObject({
    tracesUrl: 'http://collector:4318/v1/traces',
    metricsUrl: 'http://collector:4318/v1/metrics',
  });
  const own = otelSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in' });
  expect(own).toMatchObject({ tracesUrl: 'https://traces/in', metricsUrl: null });
  expect(otelSettings({ OTEL_TRACES_EXPORTER: 'otlp' })).toMatchObject({ tracesUrl: 'http://localhost:4318/v1/traces' });
});

test('headers and resource attributes are pairs with percent-encoded values; those of one signal go over the common ones', () => {
  const settings = otelSettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'a=1, b=x%2Cy',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=2',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=other',
    OTEL_SERVICE_NAME: 'mine',
  });
  expect(settings).toMatchObject({
    tracesHeaders: { a: '2', b: 'x,y' },
    metricsHeaders: { a: '1', b: 'x,y' },
    resource: { 'deployment.environment': 'test', 'service.name': 'mine' },
    problems: [],
  });
  expect(otelSettings(endpoint)?.resource).toEqual({ 'service.name': 'coxswain' });
});

test.each([
  ['always_on', undefined, 1],
  ['always_off', undefined, 0],
  ['parentbased_always_off', undefined, 0],
  ['traceidratio', '0.25', 0.25],
  ['parentbased_traceidratio', '0.5', 0.5],
  ['traceidratio', 'much', 1],
])('the sampler %s with %s keeps the share %d', (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, ratio) => {
  expect(otelSettings({ ...endpoint, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG })?.ratio).toBe(ratio);
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///etc/passwd' }, /not an http or https URL/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' }, /not an http or https URL/],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /grpc is not spoken/],
  [{ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' }, /zipkin; only otlp/],
  [{ ...endpoint, OTEL_BSP_MAX_QUEUE_SIZE: '-5' }, /OTEL_BSP_MAX_QUEUE_SIZE/],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=%E0%A4%A' }, /OTEL_EXPORTER_OTLP_HEADERS/],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'bad name=1' }, /OTEL_EXPORTER_OTLP_HEADERS/],
])('%j has a problem that is said', (env, problem) => {
  expect(otelSettings(env)?.problems.join()).toMatch(problem);
});
