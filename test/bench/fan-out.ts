/**
 * Durable fan-out and reduce with code in place of a model, against the raw JetStream floor in the same run: publish a ticket, pull it, store
 * a result, ack. `npm run bench:fan-out`; COX_BENCH_SIZES (default 10,100,1000,10000), COX_BENCH_RUNS (default 5). Fails nothing.
 * COX_BENCH_PROFILE=1 leaves the floor out and says where the node's time went.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import { defineKind } from '../../actors/define-kind.ts';
import type { Joined } from '../../actors/join.ts';
import { testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';
import { Profile } from './profile.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '10,100,1000,10000').split(',').map(Number);
const runs = Number(process.env.COX_BENCH_RUNS ?? 5);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const echo = defineKind({ name: 'echo', think: ({ instruction }) => instruction });
const crew = await testCrew();
const joined = await crew.join('bench');
await crew.node(joined, {
  kinds: [echo],
  types: ['supervisor', 'echo'],
  slots: 10000,
  rosterYaml: 'supervision: { concurrency: 10000, max_tasks: 10000 }',
});

/** Microseconds of this process's time: the node with its supervisor and workers. The server has its own. */
const cpuUs = () => process.cpuUsage().user + process.cpuUsage().system;

async function fanOut(size: number): Promise<{ us: number; cpu: number }> {
  const tasks = Array.from({ length: size }, (_, i) => ({ key: `k${i}`, type: 'echo', instruction: `number ${i}` }));
  const [from, cpuFrom] = [performance.now(), cpuUs()];
  const plan = { tasks, reduce: { by: 'concat' as const } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'bench', plan });
  const { outcome, output } = await joined.crew.result(id, never);
  const tookUs = (performance.now() - from) * 1000;
  if (outcome !== 'completed' || !output?.includes(`number ${size - 1}`)) throw new Error(`${outcome}: ${output?.slice(0, 200)}`);
  return { us: tookUs / size, cpu: (cpuUs() - cpuFrom) / size };
}

/** What any durable fan-out has to do, pipelined, with payloads like ours: 300 bytes a ticket, 1,500 a state with its result. */
async function floor({ bus: { nc, js } }: Joined, size: number): Promise<number> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  await jsm.streams.add({ name: 'floor', subjects: ['floor.work.*'], retention: 'workqueue' });
  await jsm.streams.add({ name: 'floor-state', subjects: ['floor.state.*'], max_msgs_per_subject: 1 });
  await jsm.consumers.add('floor', { durable_name: 'all', ack_policy: 'explicit', max_ack_pending: -1 });
  const [ticket, state] = ['t'.repeat(300), 's'.repeat(1_500)];
  const from = performance.now();
  const consumer = await js.consumers.get('floor', 'all');
  const published = Promise.all(Array.from({ length: size }, (_, i) => js.publish(`floor.work.${i}`, ticket)));
  const stored: Promise<unknown>[] = [];
  const messages = await consumer.consume({ max_messages: 1_000 });
  for await (const message of messages) {
    stored.push(js.publish(`floor.state.${message.subject.split('.')[2]}`, state).then(() => message.ack()));
    if (stored.length === size) break;
  }
  await Promise.all([published, ...stored]);
  await nc.flush();
  const tookUs = (performance.now() - from) * 1000;
  await messages.close();
  await jsm.streams.delete('floor');
  await jsm.streams.delete('floor-state');
  return tookUs / size;
}

await fanOut(100);
await floor(joined, 100);
const profile = process.env.COX_BENCH_PROFILE ? await Profile.start() : null;
for (const size of sizes) {
  const ours: { us: number; cpu: number }[] = [];
  const raw: number[] = [];
  for (let i = 0; i < runs; i++) {
    if (!profile) raw.push(await floor(joined, size));
    ours.push(await fanOut(size));
  }
  const [us, cpu] = [median(ours.map((it) => it.us)), median(ours.map((it) => it.cpu))];
  const least = median(raw) ?? Number.NaN;
  console.log(
    `${String(size).padStart(6)} sub-tasks: ${us.toFixed(0).padStart(6)} µs each, floor ${least.toFixed(0).padStart(4)} µs (${(us / least).toFixed(1)}×), processor time of the node ${cpu.toFixed(0)} µs`,
  );
}
if (profile) console.log(await profile.stop());
await crew.stop();
