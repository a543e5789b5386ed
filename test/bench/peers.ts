/**
 * The same fan-out and reduce with other systems: a goal of N sub-tasks, each answered by code in place of a model, stored
 * durably, reduced to one answer. `npm run bench:peers`; COX_BENCH_SIZES (default 10,100,1000,10000), COX_BENCH_RUNS (default 5),
 * COX_BENCH_PEERS (names, default all: see peers/contenders.ts). Fetches its packages and servers on first use. Fails nothing: a
 * system that cannot be had on this machine, or does not finish, is named below the table.
 */
import { contenders } from './peers/contenders.ts';
import { RemoteContender } from './peers/remote-contender.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '10,100,1000,10000').split(',').map(Number);
const runs = Number(process.env.COX_BENCH_RUNS ?? 5);
const keys = process.env.COX_BENCH_PEERS?.split(',') ?? Object.keys(contenders);
/** The limit of one fan-out. A contender whose runs of one size took longer together has no more runs of that size. */
const patienceMs = 60_000;

interface Run {
  /** Microseconds per sub-task. */
  readonly us: number;
  /** Processor time of all its processes, microseconds per sub-task; null where the system does not tell. */
  readonly processor: number | null;
}

interface Row {
  readonly contender: RemoteContender;
  readonly name: string;
  readonly stores: string;
  readonly runs: Map<number, Run[]>;
  /** Why the contender is out; null while it takes part. */
  out: string | null;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rows: Row[] = [];
const absent: string[] = [];

const started: RemoteContender[] = [];
let stopping: Promise<void> | null = null;
function stop(): Promise<void> {
  stopping ??= Promise.all(started.map((contender) => contender.stop())).then(() => {});
  return stopping;
}
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => {
    say('ending what was started …');
    void stop().finally(() => process.exit(code));
  });

for (const key of keys) {
  const contender = new RemoteContender(key, (line) => say(`${key}: ${line}`));
  started.push(contender);
  const ready = await contender.started();
  if (stopping) break;
  if (ready.is === 'ready') {
    say(`${ready.name}: ready`);
    rows.push({ contender, name: ready.name, stores: ready.stores, runs: new Map(), out: null });
  } else {
    absent.push(`${key} is not in the table: ${ready.is === 'unavailable' ? ready.reason : `it failed: ${ready.message}`}`);
    say(absent.at(-1) as string);
    await contender.stop();
  }
}

for (let i = 0; i < 2; i++) for (const row of rows) await once(row, 100);
for (const row of rows) row.runs.clear();
// Contenders alternate, so that a busy moment of the machine does not hit only one of them.
for (const size of sizes) {
  if (stopping) break;
  for (let i = 0; i < runs; i++) for (const row of rows) await once(row, size);
  if (!stopping) say(`${size} sub-tasks: done`);
}
const interrupted = stopping !== null;
await stop();
if (!interrupted) console.log(report());

async function once(row: Row, size: number): Promise<void> {
  const before = row.runs.get(size) ?? [];
  const spentMs = (before.reduce((sum, { us }) => sum + us, 0) * size) / 1000;
  if (row.out || stopping || spentMs > patienceMs) return;
  const processorFrom = row.contender.processorUs();
  const answer = await row.contender.fanOut(size, patienceMs);
  const processorTo = row.contender.processorUs();
  if (answer.is === 'done') {
    const processor = processorFrom === null || processorTo === null ? null : (processorTo - processorFrom) / size;
    row.runs.set(size, [...before, { us: answer.usEach, processor }]);
  } else if (!stopping) {
    row.out =
      answer.is === 'late' ? `${size} sub-tasks took more than ${patienceMs / 1000} s` : `${size} sub-tasks: ${answer.message}`;
    say(`${row.name} is out: ${row.out}`);
    await row.contender.stop();
  }
}

function report(): string {
  const clock = table(`Time, µs a sub-task, median of ${runs} runs (× the raw floor)`, sizes, (row, size) =>
    median((row.runs.get(size) ?? []).map(({ us }) => us)),
  );
  // The system counts processor time in steps of 10 ms: too coarse for ten sub-tasks, and for a median of short runs.
  const processor = table(
    'Processor time of all its processes, µs a sub-task, mean of the same runs (× the raw floor); hardly depends on what else the machine does',
    sizes.filter((size) => size >= 100),
    (row, size) => {
      const known = (row.runs.get(size) ?? []).flatMap(({ processor }) => processor ?? []);
      return known.length > 0 ? known.reduce((sum, us) => sum + us, 0) / known.length : undefined;
    },
  );
  const stored = rows.map(({ name, stores }) => `- ${name} stores ${stores}.`);
  const out = rows.filter((row) => row.out).map((row) => `${row.name}: ${row.out}.`);
  const tables = rows.length > 0 ? [clock, '', processor, ''] : [];
  return [...tables, ...stored, '', ...out, ...absent].join('\n');
}

function table(title: string, columns: readonly number[], figureOf: (row: Row, size: number) => number | undefined): string {
  const floor = rows.find(({ contender }) => contender.key === 'floor');
  const cell = (row: Row, size: number): string => {
    const us = figureOf(row, size);
    const least = floor && figureOf(floor, size);
    if (us === undefined) return '–';
    return least && row !== floor ? `${us.toFixed(0)} (${(us / least).toFixed(1)}×)` : us.toFixed(0);
  };
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    title,
    '',
    line(['', ...columns.map((size) => size.toLocaleString('en'))]),
    line(['---', ...columns.map(() => '---')]),
    ...rows.map((row) => line([row.name, ...columns.map((size) => cell(row, size))])),
  ].join('\n');
}
