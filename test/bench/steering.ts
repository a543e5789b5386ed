/**
 * Steering as an operator in another process sees it, against the raw NATS round trip between the same two processes in the same
 * run. `npm run bench:steering`; COX_BENCH_STEERS (default 200), COX_BENCH_LIVE (default 1000). Fails nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CrewSession } from '../../actors/node/join.ts';
import { parseStatus } from '../../bus/log/projection.ts';
import { testCrew } from '../support/crew.ts';
import type { ModelCall } from '../support/model-server.ts';

const steers = Number(process.env.COX_BENCH_STEERS ?? 200);
const live = Number(process.env.COX_BENCH_LIVE ?? 1000);
const crew = await testCrew();
const joined = await crew.join('bench');
const script = join(import.meta.dirname, 'worker-process.ts');
const worker = spawn(process.execPath, ['--expose-gc', script], {
  env: { ...crew.env, MODEL_URL: crew.model.url } as NodeJS.ProcessEnv,
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(worker.stdout, 'data');

const us = (from: number) => (performance.now() - from) * 1000;
const at = (sorted: readonly number[], p: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
const shown = (values: readonly number[], raw: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  const [p50, p99] = [at(sorted, 0.5), at(sorted, 0.99)];
  return {
    p50,
    text: `p50 ${p50.toFixed(0).padStart(6)} µs (${(p50 / raw).toFixed(1)}×)   p99 ${p99.toFixed(0).padStart(6)} µs (${(p99 / raw).toFixed(1)}×)`,
  };
};

async function rawRoundTrip({ bus }: CrewSession): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const from = performance.now();
    await bus.nc.request('bench.echo', 'x');
    if (i >= 100) times.push(us(from));
  }
  return times;
}

/** Steers one task again and again while its model call is in flight. */
async function steerOne(): Promise<{ next: number[]; applied: number[]; closed: number[] }> {
  const id = await joined.crew.dispatch({ type: 'bench', instruction: 'bench the steering', backend: 'main' });
  const mine = (call: ModelCall) => call.texts('user').join().includes('bench the steering');
  let call = await crew.model.next(mine);
  const times = { next: [] as number[], applied: [] as number[], closed: [] as number[] };
  for (let i = 0; i < steers; i++) {
    call.say('thinking about it ');
    const applied = new Promise<number>((resolve) => {
      const from = performance.now();
      const subscription = joined.bus.nc.subscribe(joined.bus.subjects.of(id, 'status'), {
        callback: (_, message) => {
          if (!parseStatus(message.data)?.receipts.some(({ fate }) => fate === 'applied')) return;
          subscription.unsubscribe();
          resolve(us(from));
        },
      });
    });
    await joined.bus.nc.flush();
    const from = performance.now();
    const closed = call.closed.then(() => us(from));
    joined.bus.nc.publish(joined.bus.subjects.of(id, 'steering'), `correction ${i}`);
    call = await crew.model.next(mine);
    times.next.push(us(from));
    times.closed.push(await closed);
    times.applied.push(await applied);
  }
  call.reply('done');
  await joined.crew.result(id, new AbortController().signal);
  return times;
}

const memory = async () =>
  (await joined.bus.nc.request('bench.memory', '', { timeout: 30_000 })).json<{ heapUsed: number; rss: number }>();

async function report(title: string): Promise<void> {
  const raw = shown(await rawRoundTrip(joined), 1).p50;
  const { next, applied, closed } = await steerOne();
  console.log(`${title}\n  raw NATS round trip      p50 ${raw.toFixed(0).padStart(6)} µs (1.0×)`);
  console.log(`  steer → call aborted     ${shown(closed, raw).text}`);
  console.log(`  steer → next call        ${shown(next, raw).text}`);
  console.log(`  steer → applied receipt  ${shown(applied, raw).text}`);
}

/** Dispatches tasks and waits until each of them has its call in flight. */
async function dispatchMany(count: number, instruction: string): Promise<ModelCall[]> {
  await Promise.all(Array.from({ length: count }, () => joined.crew.dispatch({ type: 'bench', instruction, backend: 'main' })));
  const calls: ModelCall[] = [];
  for (let i = 0; i < count; i++) calls.push(await crew.model.next((call) => call.texts('user').join().includes(instruction)));
  return calls;
}

await steerOne();
await report(`one task, ${steers} steers`);

const toStatus: number[] = [];
for (let i = 0; i < 100; i++) {
  const from = performance.now();
  const id = await joined.crew.dispatch({ type: 'bench', instruction: 'dispatch', backend: 'main' });
  await crew.model.next((call) => call.texts('user').join().includes('dispatch'));
  toStatus.push(us(from));
  await joined.crew.steer(id, { type: 'cancel' });
}
console.log(`  dispatch → first call    ${shown(toStatus, shown(await rawRoundTrip(joined), 1).p50).text}`);

const empty = await memory();
const calls = await dispatchMany(live, 'stay alive');
const full = await memory();
console.log(
  `${live} live tasks: ${((full.heapUsed - empty.heapUsed) / live / 1024).toFixed(1)} KiB of heap each (rss ${(full.rss / 2 ** 20).toFixed(0)} MiB, before ${(empty.rss / 2 ** 20).toFixed(0)})`,
);
await report(`one task beside ${live} live ones, ${steers} steers`);

const parked = new Promise<void>((resolve) => {
  let left = live;
  joined.bus.nc.subscribe(joined.bus.subjects.every('status'), {
    callback: (_, message) => {
      if (parseStatus(message.data)?.state === 'awaiting-steer' && --left === 0) resolve();
    },
  });
});
for (const call of calls) call.call('ask_operator', { question: 'Go on?' });
await parked;
await new Promise((resolve) => setTimeout(resolve, 3_000));
const waiting = await memory();
console.log(
  `${live} waiting tasks: ${((waiting.heapUsed - empty.heapUsed) / live).toFixed(0)} bytes of heap each, over the node without tasks`,
);

worker.kill('SIGKILL');
await once(worker, 'exit');
await crew.stop();
