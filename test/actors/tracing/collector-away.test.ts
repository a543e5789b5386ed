/** A collector that is away, slow or hostile neither slows nor stops a task. What it does not take is counted. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let collector: OtlpReceiver;
beforeEach(async () => {
  [crew, collector] = await Promise.all([testCrew(), OtlpReceiver.start()]);
});
afterEach(async () => {
  collector.misbehave = null;
  await crew.stop();
  await collector.stop();
});

async function start(env: NodeJS.ProcessEnv, options: Parameters<TestCrew['node']>[1] = {}): Promise<CoxNode> {
  Object.assign(crew.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50', ...env });
  joined = await crew.join();
  return crew.node(joined, options);
}
async function work(): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  (await crew.model.next()).reply('Done.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
  return id;
}
const dropped = (node: CoxNode): number => Number(/^cox_spans_dropped_total (\d+)$/m.exec(node.metrics() ?? '')?.[1] ?? 0);
const made = (node: CoxNode): number => Number(/^cox_spans_total (\d+)$/m.exec(node.metrics() ?? '')?.[1] ?? 0);

test('a collector that nobody runs costs the spans, and nothing else', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const node = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_TIMEOUT: '200' });
  await work();
  await node.stop();
  expect(made(node)).toBeGreaterThan(3);
  expect(dropped(node)).toBe(made(node));
});

test('a collector that never answers fills a bounded queue; further spans are dropped and counted', async () => {
  const node = await start({
    OTEL_BSP_MAX_QUEUE_SIZE: '3',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
  });
  collector.misbehave = () => true;
  const asked = collector.request();
  await work();
  await asked;
  for (let i = 0; i < 3; i++) await work();
  // At most three wait, and two are on their way.
  expect(dropped(node)).toBeGreaterThanOrEqual(made(node) - 5);
  expect(dropped(node)).toBeGreaterThan(0);
});

test('a collector that answers with an endless body, a redirect or nonsense is taken for one that takes nothing', async () => {
  const node = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
  const answers: ((response: Parameters<NonNullable<OtlpReceiver['misbehave']>>[0]) => void)[] = [
    (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end(),
    (response) => response.writeHead(400).end('\u001b[2J nonsense'),
    (response) => response.destroy(),
  ];
  collector.misbehave = (response) => {
    (answers.shift() ?? ((it) => it.writeHead(400).end()))(response);
    return true;
  };
  for (let i = 0; i < 3; i++) {
    const asked = collector.request();
    await work();
    await asked;
  }
  collector.misbehave = null;
  await work();
  await node.stop();
  expect(dropped(node)).toBeGreaterThan(0);
  expect(collector.spans.length).toBeGreaterThan(0);
});

test('packages that cannot be fetched switch telemetry off with a word to the operator', async () => {
  const notes: string[] = [];
  const told = Promise.withResolvers<void>();
  const note = (text: string) => {
    notes.push(text);
    told.resolve();
  };
  Object.assign(crew.env, {
    XDG_CACHE_HOME: `${crew.folder}/cache`,
    npm_config_registry: 'http://127.0.0.1:1/',
    npm_config_fetch_retries: '0',
  });
  // The server is in the cache of this machine; the packages are looked for in an empty one.
  const { foldersOf } = await import('../../../platform/folders.ts');
  const cache = foldersOf(crew.env).cache;
  crew.env.XDG_CACHE_HOME = process.env.XDG_CACHE_HOME;
  Object.assign(crew.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const session = await crew.join();
  joined = { ...session, folders: { ...session.folders, cache } };
  const node = await crew.node(joined, { note });
  await work();
  await told.promise;
  expect(notes[0]).toMatch(/^Telemetry is off: Could not get OpenTelemetry .*cox doctor --install tracing/);
  expect(dropped(node)).toBe(made(node));
});

test('a setting that is not honoured is said, and its value is not', async () => {
  const notes: string[] = [];
  await start(
    { OTEL_EXPORTER_OTLP_HEADERS: 'hunter2', OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' },
    { note: (text) => notes.push(text) },
  );
  expect(notes).toEqual([
    'Telemetry: the OTLP protocol grpc is not spoken; http/protobuf is',
    'Telemetry: OTEL_EXPORTER_OTLP_HEADERS has a part that is not key=value',
    'Telemetry: OTEL_TRACES_SAMPLER is jaeger_remote, which is not known: every trace is kept',
  ]);
});
