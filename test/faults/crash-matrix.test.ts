/**
 * A worker is killed once a run, right before or right after one of its writes to the bus or calls outside, and another worker
 * goes on. The run must end as without the crash, every steer must have one final receipt, and a tool that writes must have run
 * once: when that is in doubt, the operator is asked and tells the truth.
 *
 * The suite tries a sample with every sort of point; COX_SEED repeats it. `npm run test:crash` (COX_MATRIX=full) tries all
 * points, COX_MATRIX=<n> n of them, COX_CRASH=<scenario>:<point> one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice, each, seed, shuffled } from './crash-matrix/chance.ts';
import { Place } from './crash-matrix/place.ts';
import { scenarios } from './crash-matrix/scenarios.ts';
import { type Cell, compared, faultsOf, nameOf, type Row, table } from './crash-matrix/table.ts';
import { type Outcome, trial } from './crash-matrix/trial.ts';

const { COX_MATRIX, COX_CRASH } = process.env;
const [onlyScenario, onlyPoint] = COX_CRASH?.split(/:(.*)/) ?? [];
const sampleSize = COX_MATRIX === 'full' ? Number.POSITIVE_INFINITY : Number(COX_MATRIX ?? 24);
const atOnce = 3;

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.stop());

/** In random order, with every sort of point among the first. */
function sample(cells: readonly Cell[]): Cell[] {
  const mixed = shuffled(cells, dice(seed));
  const names = new Set<string>();
  const first = mixed.filter(({ point }) => !names.has(nameOf(point)) && names.add(nameOf(point)));
  return [...first, ...mixed.filter((cell) => !first.includes(cell))].slice(0, sampleSize);
}

const limitMs = 7_200_000;
test('a worker killed at any write or tool call changes nothing, except that a doubtful call may be asked about', {
  timeout: limitMs,
}, async () => {
  const calm = new Map<string, Outcome>();
  const cells: Cell[] = [];
  for (const scenario of scenarios.filter(({ name }) => !onlyScenario || name === onlyScenario)) {
    const { outcome, points, asked, lost, doubled, stuck } = await trial(place, scenario, null);
    expect({ of: scenario.name, asked, lost, doubled, stuck }).toEqual({
      of: scenario.name,
      asked: 0,
      lost: [],
      doubled: [],
      stuck: [],
    });
    calm.set(scenario.name, outcome);
    cells.push(...points.map((point) => ({ scenario: scenario.name, point })));
  }
  const chosen = onlyPoint ? [{ scenario: onlyScenario!, point: onlyPoint }] : sample(cells);
  const rows: Row[] = [];
  await each(chosen, atOnce, async ({ scenario, point }) => {
    const verdict = await trial(place, scenarios.find(({ name }) => name === scenario)!, point);
    rows.push({ scenario, point, verdict, changed: compared(verdict, calm.get(scenario)!) });
    if (rows.length % 50 === 0) process.stdout.write(`${rows.length} of ${chosen.length}\n`);
  });
  process.stdout.write(`crash matrix, ${chosen.length} of ${cells.length} points, seed ${seed}\n${table(rows)}\n`);
  const faults = rows.flatMap((row) =>
    faultsOf(row).map((fault) => `COX_CRASH=${row.scenario}:${row.point} (seed ${seed}) ${fault}`),
  );
  expect(faults).toEqual([]);
  // A run with a crash may take other steps, so that its point never comes. Most points come.
  expect(rows.filter(({ verdict }) => verdict.died).length).toBeGreaterThan(rows.length / 2);
  if (!onlyPoint)
    expect(new Set(rows.map(({ point }) => nameOf(point)))).toEqual(new Set(cells.map(({ point }) => nameOf(point))));
});
