/**
 * The cost of inspection in a durable fan-out (test/bench/fan-out.ts), by turns in one run: without it, with nobody who listens,
 * and with a listener to everything, in the same process. `npm run bench:inspection`; COX_BENCH_SIZES (default 100,1000),
 * COX_BENCH_RUNS (default 9). Fails nothing.
 */
import { Inspection } from '../../actors/inspect/inspection.ts';
import { inspect } from '../../bus/inspect/inspect.ts';
import { testCrew } from '../support/crew.ts';
import { echoNode, fanOut } from './fan-out/ours.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '100,1000').split(',').map(Number);
const runs = Number(process.env.COX_BENCH_RUNS ?? 9);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const crew = await testCrew();
const joined = await crew.join('bench');
const listener = await crew.join('listener');
await echoNode(crew, joined);
await fanOut(joined, 100);

/** A node that has no inspection at all. */
const { hosted, left } = Inspection.prototype;
function withInspection(has: boolean): void {
  Inspection.prototype.hosted = has ? hosted : () => {};
  Inspection.prototype.left = has ? left : () => {};
}
async function listening(size: number) {
  const over = new AbortController();
  let heard = 0;
  const events = (async () => {
    for await (const _ of inspect(listener.bus, '*', over.signal)) heard++;
  })();
  await listener.bus.nc.flush();
  await joined.bus.nc.flush();
  const took = await fanOut(joined, size);
  over.abort();
  await events;
  await joined.bus.nc.flush();
  return { ...took, heard };
}

for (const size of sizes) {
  const took = { without: [] as number[], off: [] as number[], on: [] as number[] };
  const cpu = { without: [] as number[], off: [] as number[], on: [] as number[] };
  const heard: number[] = [];
  const note = (how: keyof typeof took, each: { us: number; cpu: number }) => {
    took[how].push(each.us);
    cpu[how].push(each.cpu);
  };
  for (let i = 0; i < runs; i++) {
    withInspection(false);
    note('without', await fanOut(joined, size));
    withInspection(true);
    note('off', await fanOut(joined, size));
    const on = await listening(size);
    note('on', on);
    heard.push(on.heard);
  }
  const words = (how: keyof typeof took) => {
    const ratio = (of: typeof took) => `${((median(of[how]) / median(of.without) - 1) * 100).toFixed(1)} %`;
    return `${how}: ${median(took[how]).toFixed(0)} µs (${ratio(took)}), processor ${median(cpu[how]).toFixed(0)} µs (${ratio(cpu)})`;
  };
  console.log(`${size} sub-tasks: ${words('without')}; ${words('off')}; ${words('on')}, ${median(heard)} messages`);
}
await crew.stop();
