/**
 * Mixed load for 10 minutes (COX_SOAK_SECONDS) on three worker processes: goals and single tasks, questions, corrections, pauses,
 * cancels, reruns. Two of the workers are killed and started again all the time; the third lives, so that its memory can be
 * watched. Finished trees are soon purged, as by `cox gc`. Every task must end once and as without a crash, every steer must have
 * one final receipt, tools that write must have run once, and memory must stay flat. COX_SEED repeats the order of events. `npm
 * run test:soak`.
 */
import { collect } from '../../bus/capacity/retention.ts';
import { goalOf, rootOf } from '../../bus/task-id.ts';
import { dice, seed } from './crash-matrix/chance.ts';
import { accountsOf, owed } from './crash-matrix/log.ts';
import { heapOf, Place, type WorkerProcess } from './crash-matrix/place.ts';
import { scenarios } from './crash-matrix/scenarios.ts';
import { type Scenario, Stage } from './crash-matrix/stage.ts';
import { compared } from './crash-matrix/table.ts';
import { judged, type Outcome, outcomeOf, settled, trial } from './crash-matrix/trial.ts';
import { Memory, residentBytes } from './soak-memory.ts';

const seconds = Number(process.env.COX_SOAK_SECONDS ?? 600);
/** Tasks that run at once. */
const atOnce = 6;
/** After this time a task counts as stuck: longer than many crashes. */
const patienceMs = 180_000;
const purgeAfterMs = 30_000;
const run = 'soak';
const roll = dice(seed);
const say = (line: string) => process.stdout.write(`${line}\n`);

const place = await Place.open();
const { bus, crew } = await place.crew.join('driver', run);
const calm = new Map<string, Outcome>();
for (const scenario of scenarios) calm.set(scenario.name, (await trial(place, scenario, null)).outcome);
say(`soak: ${seconds} s, seed ${seed}, ${scenarios.map(({ name }) => name).join(', ')}`);

let endsAt = performance.now() + seconds * 1000;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endsAt = performance.now();
  });
const isEnding = () => performance.now() >= endsAt;
/** Ends early when the soak is over. */
const wait = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, Math.max(0, endsAt - performance.now()))));

const tally = { begun: 0, ended: 0, asked: 0, effects: 0, kills: 0, purged: 0 };
const faults: string[] = [];
const stages = new Map<string, Stage>();
const over = new AbortController();
place.outside.watch(run, (effect) => {
  tally.effects++;
  stages.get(goalOf(effect.task))?.acted(effect);
});
const watching = (async () => {
  for await (const event of crew.watch(null, over.signal))
    if (event.kind === 'status') stages.get(goalOf(event.status.id))?.saw(event.status);
})();

async function oneTask(scenario: Scenario): Promise<void> {
  const stage = new Stage(`soak${tally.begun++}`, crew, scenario);
  const thinking = place.think(stage.run, (call) => scenario.model(call, stage));
  const id = await stage.begin();
  stages.set(id, stage);
  const patience = AbortSignal.timeout(patienceMs);
  const result = await crew.result(id, patience).catch(() => null);
  const account = () => accountsOf(bus, rootOf(id));
  const left = await settled(async () => owed(await account()), patience);
  await stage.settled();
  const { lost, doubled } = judged(await account(), stage);
  const changed = compared({ outcome: outcomeOf(result, stage, id) }, calm.get(scenario.name)!);
  const wrong = [...(result ? [] : ['it never ended']), ...left, ...lost, ...doubled, ...changed];
  for (const fault of wrong) {
    faults.push(`${scenario.name} ${id}: ${fault}`);
    say(faults.at(-1)!);
  }
  if (result) tally.ended++;
  tally.asked += stage.asked;
  thinking.stop();
  stages.delete(id);
}

async function keepBusy(): Promise<void> {
  while (!isEnding()) await oneTask(scenarios[roll(scenarios.length)]!);
}

/** A worker that is killed and started again. @returns the last one. */
async function mortal(): Promise<WorkerProcess> {
  for (;;) {
    const worker = await place.worker(run);
    await wait(2_000 + roll(10_000));
    if (isEnding()) return worker;
    worker.process.kill('SIGKILL');
    await worker.gone;
    tally.kills++;
    await wait(roll(3_000));
  }
}

async function purge(): Promise<void> {
  const { purged } = await collect(bus, { keep: { finishedAfterMs: isEnding() ? 0 : purgeAfterMs, finishedBytes: null } });
  tally.purged += purged.length;
}

const elder = await place.worker(run);
const serverPid = await place.serverPid();
// The worker collects its garbage first, so garbage does not count as a leak.
const memory = new Memory({
  'heap of a worker': () => heapOf(elder),
  'worker, resident': () => residentBytes(elder.process.pid!),
  'server, resident': () => residentBytes(serverPid),
});
await memory.sample();
async function lookAfter(): Promise<void> {
  for (let i = 1; !isEnding(); i++) {
    await wait(5_000);
    await purge();
    await memory.sample();
    if (i % 6 === 0) say(JSON.stringify({ ...tally, left: Math.round((endsAt - performance.now()) / 1000), ...memory.last() }));
  }
}

try {
  const mortals = [mortal(), mortal()];
  await Promise.all([...Array.from({ length: atOnce }, keepBusy), lookAfter()]);
  for (const { process: worker, gone } of [elder, ...(await Promise.all(mortals))]) {
    worker.kill('SIGTERM');
    await gone;
  }
  // The last acked tickets allow the last purges. Then nothing may be left.
  await purge();
  for (const stream of [bus.subjects.workStream, bus.subjects.logStream, `KV_${bus.subjects.stateBucket}`]) {
    const { state } = await bus.jsm.streams.info(stream);
    if (state.messages > 0) faults.push(`${state.messages} messages are left in ${stream}`);
  }
} finally {
  over.abort();
  await watching;
  await place.stop();
}

say(`soak: ${JSON.stringify(tally)}`);
for (const { name, start, middle, end, most, isFlat } of memory.courses()) {
  say(`${name}: ${start} MB at the start, ${middle} in the middle, ${end} at the end, ${most} at most`);
  // A short run ends before everything is warm.
  if (!isFlat && seconds >= 300) faults.push(`${name}: not flat`);
}
if (tally.ended !== tally.begun) faults.push(`${tally.begun} tasks were begun and ${tally.ended} ended`);
say(faults.length === 0 ? 'soak: all well' : `soak: ${faults.length} faults (seed ${seed})\n${faults.join('\n')}`);
process.exitCode = faults.length === 0 ? 0 : 1;
