/** `cox up --metrics` and `cox costs` as an operator has them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseExposition } from '../support/exposition.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { isWorking, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

const usage = { prompt_tokens: 100, completion_tokens: 50, cost: 0.5 };

test('cox up --metrics serves what its tasks have used, and cox costs tells it after they are purged', async () => {
  const node = world.start(['up', '--metrics', '127.0.0.1:0'], { stdin: null });
  const [, url] = await node.says('stdout', /figures for Prometheus: (\S+)/);
  const { stdout } = await world.cox(['dispatch', 'reasoning', 'think of it']);
  (await world.model.next(isWorking)).say('done').end([], usage);
  await world.cox(['result', stdout.trim()]);
  const reply = await fetch(url!);
  expect(reply.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const { samples } = parseExposition(await reply.text());
  const value = (name: string) => samples.find((it) => it.name === name)?.value;
  expect(value('gen_ai_client_inference_usage_input_tokens_total')).toBe(100);
  expect(value('cox_cost_usd_total')).toBe(0.5);
  expect(value('cox_tasks_total')).toBe(1);
  expect(value('cox_slots')).toBe(8);
  node.process.kill('SIGTERM');
  expect((await node.ended).code).toBe(0);
  await expect(fetch(url!)).rejects.toThrow();
  // A node that has drained has acked its tickets.
  expect((await world.json<{ purged: object[] }>(['gc', '--older-than', '0s'])).value.purged.length).toBe(1);
  const { value: costs } = await world.json<{ rows: object[] }>(['costs', '--since', '7d', '--by', 'backend,kind']);
  expect(costs.rows).toMatchObject([{ kind: 'reasoning', inputTokens: 100, costUsd: 0.5 }]);
  expect((await world.cox(['costs'])).stdout).toMatch(/100 +50 +\$0\.50/);
  expect(await world.cox(['costs', '--by', 'colour'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--by: expected'),
  });
});

test('an address that others reach is refused without a token, before anything is started', async () => {
  const open = await world.cox(['up', '--metrics', '0.0.0.0:0']);
  expect(open).toMatchObject({ stdout: '', stderr: expect.stringContaining('COX_METRICS_TOKEN') });
  expect(open.code).not.toBe(0);
  expect(await world.cox(['up', '--metrics', 'nonsense'])).toMatchObject({ code: 2, stdout: '' });
});

test('cox up sends its traces where the environment says', async () => {
  const collector = await OtlpReceiver.start();
  try {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
    const node = world.start(['up'], { stdin: null, env });
    const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { stdout } = await world.cox(['dispatch', 'reasoning', 'think of it'], { env: { ...env, TRACEPARENT } });
    (await world.model.next(isWorking)).reply('done');
    await world.cox(['result', stdout.trim()]);
    await collector.until((spans) => spans.some(({ name }) => name === 'invoke_agent reasoning'));
    expect(collector.named('queue reasoning')[0]?.links).toEqual([{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }]);
    node.process.kill('SIGTERM');
    expect((await node.ended).code).toBe(0);
  } finally {
    await collector.stop();
  }
});
