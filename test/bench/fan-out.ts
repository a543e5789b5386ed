/**
 * Durable fan-out and reduce with code in place of a model, compared with raw JetStream ("the floor") in the same run. `npm run
 * bench:fan-out`; COX_BENCH_SIZES (default 10,100,1000,10000), COX_BENCH_RUNS (default 5). Fails nothing. COX_BENCH_PROFILE=1
 * leaves the floor out and prints where the node's time went.
 */
import { testCrew } from '../support/crew.ts';
import { floor } from './fan-out/floor.ts';
import { echoNode, fanOut } from './fan-out/ours.ts';
import { Profile } from './profile.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '10,100,1000,10000').split(',').map(Number);
const runs = Number(process.env.COX_BENCH_RUNS ?? 5);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const crew = await testCrew();
const joined = await crew.join('bench');
await echoNode(crew, joined);

await fanOut(joined, 100);
await floor(joined, 100);
const profile = process.env.COX_BENCH_PROFILE ? await Profile.start() : null;
for (const size of sizes) {
  const ours: { us: number; cpu: number }[] = [];
  const raw: number[] = [];
  for (let i = 0; i < runs; i++) {
    if (!profile) raw.push(await floor(joined, size));
    ours.push(await fanOut(joined, size));
  }
  const [us, cpu] = [median(ours.map((it) => it.us)), median(ours.map((it) => it.cpu))];
  const least = median(raw) ?? Number.NaN;
  console.log(
    `${String(size).padStart(6)} sub-tasks: ${us.toFixed(0).padStart(6)} µs each, floor ${least.toFixed(0).padStart(4)} µs (${(us / least).toFixed(1)}×), processor time of the node ${cpu.toFixed(0)} µs`,
  );
}
if (profile) console.log(await profile.stop());
await crew.stop();
