/**
 * Floods of steers beside an honest task: memory of the node, and how long honest steers take meanwhile. `npm run bench:floods`.
 * COX_BENCH_FLOOD chooses one of the floods below; COX_BENCH_STEERS is its length (default 100,000). Fails nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readState } from '../../bus/state/state-store.ts';
import { residentBytes } from '../faults/soak-memory.ts';
import { testCrew } from '../support/crew.ts';
import type { ModelCall } from '../support/model-server.ts';

const count = Number(process.env.COX_BENCH_STEERS ?? 100_000);
const chosen = process.env.COX_BENCH_FLOOD;
/** A flood that is not answered after this time, in ms, is given up. */
const patienceMs = Number(process.env.COX_BENCH_PATIENCE ?? 120_000);
/** The honest steers go on for at least this time, in ms. */
const leastMs = 5_000;

interface Flood {
  readonly to: 'ended' | 'unborn' | 'live';
  readonly count: number;
  readonly payload: (n: number) => string;
}
const plain = (n: number) => `TOKEN-${n}`;
const floods: Record<string, Flood> = {
  'steers, for comparison': { to: 'ended', count: 0, payload: plain },
  'steers to an ended task': { to: 'ended', count, payload: plain },
  'steers to an id that never was': { to: 'unborn', count, payload: plain },
  'steers to a live task': { to: 'live', count, payload: plain },
  'bad steers of 130 kB to an ended task': {
    to: 'ended',
    count: 80,
    payload: () => `{"type":"steer","text":"x","${' '.repeat(130_000)}":1}`,
  },
};

for (const [name, flood] of Object.entries(floods)) if (!chosen || name === chosen) await measure(name, flood);

async function measure(name: string, { to, count: steers, payload }: Flood): Promise<void> {
  const crew = await testCrew();
  const { bus, crew: client } = await crew.join('bench');
  const script = join(import.meta.dirname, 'worker-process.ts');
  const worker = spawn(process.execPath, ['--max-old-space-size=4096', script], {
    env: { ...crew.env, MODEL_URL: crew.model.url } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(worker.stdout!, 'data');
  const never = new AbortController().signal;
  const begin = async (instruction: string) => {
    const id = await client.dispatch({ type: 'bench', instruction, backend: 'main' });
    return { id, call: await crew.model.next((call) => call.texts('user').join().includes(instruction)) };
  };
  const { id: honest } = await begin('honest work');
  const { id: waiting, call: asking } = await begin('honest question');
  const target = to === 'unborn' ? 'nobody.0' : (await begin('flooded work')).id;
  if (to === 'ended') {
    await client.steer(target, { type: 'cancel' });
    await client.result(target, never);
  }

  let most = 0;
  const before = await residentBytes(worker.pid!);
  const sampling = setInterval(async () => {
    most = Math.max(most, await residentBytes(worker.pid!).catch(() => 0));
  }, 100);
  let answered = 0;
  let answeredAt = Number.NaN;
  bus.nc.subscribe(bus.subjects.of(target, 'status'), {
    callback: (_, message) => {
      for (const { fate } of message.json<{ receipts: { fate: string }[] }>().receipts)
        if (fate === 'returned' || fate === 'applied') answered++;
      answeredAt = performance.now();
    },
  });
  crew.model.answer(() => {});
  let isOver = false;
  /** Steers a task again and again, and waits each time for the model call that sees it. */
  const steering = async (id: string, instruction: string, then: (call: ModelCall) => Promise<void>): Promise<number[]> => {
    const latencies: number[] = [];
    while (!isOver) {
      const question = (await client.status(id))?.question?.id;
      const from = performance.now();
      await client.steer(id, { text: 'go on', ...(question ? { type: 'answer', question } : { type: 'steer' }) });
      const call = await crew.model.next((it) => it.texts('user').join().includes(instruction));
      latencies.push(performance.now() - from);
      await then(call);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return latencies;
  };
  const parks = async (call: ModelCall) => {
    call.call('ask_operator', { question: 'Go on?' });
    while ((await readState(bus, waiting))?.record.phase !== 'parked') await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await parks(asking);
  const honestly = [steering(honest, 'honest work', async () => {}), steering(waiting, 'honest question', parks)];
  const hostile = await crew.join('hostile');
  const from = performance.now();
  for (let n = 0; n < steers; n++) hostile.bus.nc.publish(bus.subjects.of(target, 'steering'), payload(n));
  await hostile.bus.nc.flush();
  const published = performance.now() - from;
  const cancelled =
    to === 'live'
      ? client
          .steer(target, { type: 'cancel' })
          .then(() => client.result(target, never))
          .then(() => performance.now() - from)
      : null;
  const deadline = from + patienceMs;
  const leastUntil = from + leastMs;
  while ((answered < steers || performance.now() < leastUntil) && performance.now() < deadline && worker.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 100));
  isOver = true;
  const latencies = await Promise.race([
    Promise.all(honestly),
    new Promise<number[][]>((resolve) => setTimeout(resolve, 10_000, [])),
  ]);
  clearInterval(sampling);
  const shown = (values: readonly number[] = []) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (p: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN).toFixed(0);
    return `${sorted.length}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms`;
  };
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const ended =
    cancelled && (await Promise.race([cancelled, new Promise<null>((resolve) => setTimeout(() => resolve(null), 5_000))]));
  console.log(
    [
      `${steers.toLocaleString('en')} ${name} (sent in ${published.toFixed(0)} ms)`,
      `  memory of the node   before ${mb(before)} MB, most ${mb(most)} MB, after ${mb(await residentBytes(worker.pid!).catch(() => 0))} MB`,
      `  answered             ${answered.toLocaleString('en')} in ${((answeredAt - from) / 1000).toFixed(1)} s`,
      `  steers to a live task beside it      ${shown(latencies[0])}`,
      `  steers to a parked task beside it    ${shown(latencies[1])}`,
      ...(cancelled ? [`  cancel behind them   ${ended ? `${(ended / 1000).toFixed(1)} s` : 'not taken'}`] : []),
    ].join('\n'),
  );
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  await crew.stop();
}
process.exit(0);
