/** Where nothing is configured, no file about traces and no package of OpenTelemetry is loaded. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

let crew: TestCrew;
let collector: OtlpReceiver;
beforeEach(async () => {
  [crew, collector] = await Promise.all([testCrew(), OtlpReceiver.start()]);
});
afterEach(async () => {
  await crew.stop();
  await collector.stop();
});

/** The files that a process has loaded which works on one task. */
async function loadedBy(env: NodeJS.ProcessEnv): Promise<string[]> {
  crew.model.answer((call) => call.reply('Done.'));
  const script = `${import.meta.dirname}/loaded-modules.ts`;
  const child = spawn(process.execPath, [script], {
    env: { ...crew.env, MODEL_URL: crew.model.url, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  return JSON.parse(out) as string[];
}

const ofTraces = (files: readonly string[]) => files.filter((file) => /opentelemetry|actors\/tracing\//.test(file));

test('a node without an exporter loads nothing of it; one with an exporter does', async () => {
  const off = await loadedBy({});
  expect(off.some((file) => file.endsWith('actors/host/task-host.ts'))).toBe(true);
  expect(ofTraces(off)).toEqual([]);
  const disabled = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'true' });
  expect(ofTraces(disabled)).toEqual([]);
  expect(collector.headers).toEqual([]);
  const on = ofTraces(await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }));
  expect(on.some((file) => file.includes('opentelemetry'))).toBe(true);
  expect(collector.named('invoke_agent reasoning').length).toBe(1);
});
