/**
 * The cost of tracing in the fan-out of test/bench/fan-out.ts: nodes of the same process and server take turns, one without
 * telemetry, one that keeps figures for `/metrics`, one that sends spans and figures to a collector in a process of its own. Each
 * round has a run of every node, and the medians of the rounds' ratios are printed. `node test/bench/tracing.ts`;
 * COX_BENCH_SIZES (default 100,1000), COX_BENCH_RUNS (default 15). Fails nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { testCrew } from '../support/crew.ts';
import { echoNode, fanOut } from './fan-out/ours.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '100,1000').split(',').map(Number);
const runs = Number(process.env.COX_BENCH_RUNS ?? 15);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const taking = `const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
}).listen(0, '127.0.0.1', () => console.log(server.address().port));`;
const collector = spawn(process.execPath, ['-e', taking], { stdio: ['ignore', 'pipe', 'inherit'] });
const [port] = await once(collector.stdout, 'data');

const crew = await testCrew();
const off = await crew.join('off', 'off');
const second = await crew.join('off2', 'off2');
const figures = await crew.join('figures', 'figures');
Object.assign(crew.env, {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port).trim()}`,
  OTEL_BSP_MAX_QUEUE_SIZE: '100000',
});
const on = await crew.join('on', 'on');
const quiet = { ...crew.env, OTEL_SDK_DISABLED: 'true' };
await echoNode(crew, { ...off, env: quiet });
await echoNode(crew, { ...second, env: quiet });
await echoNode(crew, { ...figures, env: quiet }, { metrics: true });
const node = await echoNode(crew, on);
const sessions = { 'off again': second, metrics: figures, tracing: on };

for (const session of [off, ...Object.values(sessions)]) for (let i = 0; i < 3; i++) await fanOut(session, 1000);
for (const size of sizes) {
  const base: number[] = [];
  const ratios = new Map(Object.keys(sessions).map((name) => [name, { us: [] as number[], cpu: [] as number[] }]));
  for (let i = 0; i < runs; i++) {
    const without = await fanOut(off, size);
    base.push(without.us);
    for (const [name, session] of Object.entries(sessions)) {
      const { us, cpu } = await fanOut(session, size);
      ratios.get(name)!.us.push(us / without.us);
      ratios.get(name)!.cpu.push(cpu / without.cpu);
    }
  }
  const percent = (all: readonly number[]) => `${((median(all) - 1) * 100).toFixed(1)} %`;
  const told = [...ratios].map(([name, { us, cpu }]) => `${name} ${percent(us)} time, ${percent(cpu)} processor time`);
  console.log(`${String(size).padStart(6)} sub-tasks: off ${median(base).toFixed(0)} µs each; ${told.join('; ')}`);
}
console.log(
  node
    .metrics()
    ?.split('\n')
    .filter((line) => /^cox_spans/.test(line))
    .join(', '),
);
await crew.stop();
collector.kill();
