/**
 * Tasks per second with 1, 2 and 4 worker processes, and how long a task stands still when its worker is lost. `npm run
 * bench:workers`; COX_BENCH_TASKS (default 4000), COX_BENCH_KILLS (default 5). Uses the cores that there are. Fails nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseStatus } from '../../bus/log/projection.ts';
import { defaultLeaseMs } from '../../bus/queue/lease.ts';
import { testCrew } from '../support/crew.ts';

const tasks = Number(process.env.COX_BENCH_TASKS ?? 4_000);
const kills = Number(process.env.COX_BENCH_KILLS ?? 5);
const crew = await testCrew();
const joined = await crew.join('bench');
const { bus } = joined;
const script = join(import.meta.dirname, 'worker-process.ts');
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function start(): Promise<ChildProcess> {
  const env = { ...crew.env, MODEL_URL: crew.model.url } as NodeJS.ProcessEnv;
  const worker = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(worker.stdout!, 'data');
  return worker;
}
async function kill(worker: ChildProcess): Promise<void> {
  const gone = once(worker, 'exit');
  worker.kill('SIGKILL');
  await gone;
}

async function tasksPerSecond(workers: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: workers }, start));
  let left = tasks;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const callback = () => {
    if (--left === 0) resolve();
  };
  const results = bus.nc.subscribe(bus.subjects.every('result'), { callback });
  await bus.nc.flush();
  const from = performance.now();
  for (let sent = 0; sent < tasks; sent += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, tasks - sent) }, (_, i) => joined.crew.dispatch({ type: 'echo', instruction: `${i}` })),
    );
  await done;
  const took = performance.now() - from;
  results.unsubscribe();
  await Promise.all(all.map(kill));
  return (tasks * 1_000) / took;
}

/** Milliseconds from `kill -9` of the worker in the middle of a step to the first status of the next holder. */
async function standstill(): Promise<number> {
  const first = await start();
  const id = await joined.crew.dispatch({ type: 'stall', instruction: 'x' });
  const holder = await statusAt(id, 1);
  const second = await start();
  const next = statusAt(id, holder.epoch + 1);
  const from = performance.now();
  await kill(first);
  await next;
  const took = performance.now() - from;
  await joined.crew.steer(id, { type: 'cancel' });
  await joined.crew.result(id, AbortSignal.timeout(30_000));
  await kill(second);
  return took;
}

/** The first `thinking` status of this claim or a later one. */
function statusAt(id: string, epoch: number): Promise<{ epoch: number }> {
  return new Promise((resolve) => {
    const subscription = bus.nc.subscribe(bus.subjects.of(id, 'status'), {
      callback: (_, { data }) => {
        const status = parseStatus(data);
        if (!status || status.epoch < epoch || status.state !== 'thinking') return;
        subscription.unsubscribe();
        resolve(status);
      },
    });
  });
}

await tasksPerSecond(1);
const one = await tasksPerSecond(1);
for (const workers of [1, 2, 4]) {
  const rate = workers === 1 ? one : await tasksPerSecond(workers);
  console.log(`${workers} worker processes: ${rate.toFixed(0).padStart(6)} tasks/s (${(rate / one).toFixed(2)}×)`);
}
const still: number[] = [];
for (let i = 0; i < kills; i++) still.push(await standstill());
console.log(
  `kill -9 → next step elsewhere: median ${(median(still) / 1000).toFixed(1)} s, with a lease of ${defaultLeaseMs / 1000} s (${(median(still) / defaultLeaseMs).toFixed(2)}×)`,
);
await crew.stop();
