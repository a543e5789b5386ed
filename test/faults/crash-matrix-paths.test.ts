/**
 * The generated paths of both charts on real tasks, with the worker killed on each. The seed chooses the crash point, and the
 * paths take turns through all sorts of points. A worker that never reaches its point is killed after the last event of the path.
 * The outcome must be that of the chart without a crash, unless an effect was in doubt.
 *
 * The suite walks a few paths, `npm run test:crash` (COX_MATRIX=full) all of them, COX_MATRIX=<n> n of each chart. COX_SEED
 * repeats them, COX_PATH=<chart>:<n>:<point> walks one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice, each, seed, shuffled } from './crash-matrix/chance.ts';
import { ofSubAgent, ofSupervisor, type PathSet } from './crash-matrix/path-sets.ts';
import { walkPath } from './crash-matrix/path-trial.ts';
import { Place } from './crash-matrix/place.ts';
import { faultsOf, type Row, table } from './crash-matrix/table.ts';

const { COX_MATRIX, COX_PATH } = process.env;
const sampleSize = COX_MATRIX === 'full' ? Number.POSITIVE_INFINITY : Number(COX_MATRIX ?? 8);
const [onlyChart, onlyPath, onlyPoint] = COX_PATH?.split(/:(\d+):(.*)/) ?? [];
const atOnce = 3;

/** A path has about one `state` and one `status` point per event, one `result`, and seldom more than two of the others. */
function pointOf(i: number, writes: readonly string[], length: number, roll: (n: number) => number): string {
  const name = writes[Math.floor(i / 2) % writes.length]!;
  return `${name}:${i % 2 === 0 ? 'before' : 'after'}#${1 + roll(/^stat/.test(name) ? length + 2 : name === 'result' ? 1 : 2)}`;
}

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.stop());

async function tryAll<Event>(chart: string, { sense, paths }: PathSet<Event>, writes: readonly string[]) {
  const roll = dice(seed);
  const all = [...paths.entries()];
  const mixed = onlyPath ? all.filter(([n]) => n === Number(onlyPath)) : shuffled(all, roll);
  const chosen = mixed.slice(0, sampleSize);
  const rows: Row[] = [];
  const faults: string[] = [];
  await each(chosen, atOnce, async ([n, charted], i) => {
    const point = onlyPoint ?? pointOf(i, writes, charted.path.length, roll);
    const blame = (what: unknown) => faults.push(`COX_PATH=${chart}:${n}:${point} (seed ${seed}) on ${charted.name}: ${what}`);
    try {
      const row = { scenario: chart, point, ...(await walkPath(place, sense, { ...charted, point })) };
      rows.push(row);
      for (const fault of faultsOf(row)) blame(fault);
    } catch (cause) {
      blame(cause);
    }
    if (i % 50 === 49) process.stdout.write(`${i + 1} of ${chosen.length}\n`);
  });
  process.stdout.write(`${chart}: ${chosen.length} of ${paths.length} paths, seed ${seed}\n${table(rows)}\n`);
  expect(faults).toEqual([]);
}

const limits = { timeout: 7_200_000 };
test.skipIf(onlyChart === 'goal')('a path of the sub-agent ends the same when its worker is killed on the way', limits, () =>
  tryAll('sub-agent', ofSubAgent(), ['state', 'status', 'wake', 'ack', 'tool', 'result']),
);
test.skipIf(onlyChart === 'sub-agent')('a path of a goal ends the same when its worker is killed on the way', limits, () =>
  tryAll('goal', ofSupervisor(), ['state', 'status', 'pending', 'wake', 'ack', 'tool', 'result', 'steering']),
);
