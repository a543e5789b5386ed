/**
 * The generated paths of the sub-agent's chart on real tasks, with the worker killed on each. Where is chosen by the seed, so that over the
 * paths every sort of crash point comes in turn; a path that never gets there loses its worker after its last event. The outcome must be
 * that of the chart without a crash, unless an effect was in doubt.
 *
 * The suite walks a few; `npm run test:crash` (COX_MATRIX=full) all of them. COX_SEED repeats them, COX_PATH=<n>:<point> walks one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SubAgentEvent } from '../../machines/sub-agent.ts';
import { label } from '../models/sub-agent/alphabet.ts';
import { smallPaths } from '../models/sub-agent/explore.ts';
import { dice, each, seed, shuffled } from './crash-matrix/chance.ts';
import { expectedOf, walkPath } from './crash-matrix/path-trial.ts';
import { Place } from './crash-matrix/place.ts';
import { faultsOf, type Row, table } from './crash-matrix/table.ts';

const { COX_MATRIX, COX_PATH } = process.env;
const isFull = COX_MATRIX === 'full';
const [onlyPath, onlyPoint] = COX_PATH?.split(/:(.*)/) ?? [];
const sampleSize = 12;
const atOnce = 3;

/** Without those that crash by themselves, and those that wait for a deadline. */
const possible = (path: readonly SubAgentEvent[]) =>
  !path.some(({ type }) => type === 'RESTORED' || type === 'DEADLINE_PASSED') && expectedOf(path) !== null;
const paths = [...smallPaths().filter(possible).entries()];
const names = ['state', 'status', 'wake', 'ack', 'tool', 'result'].flatMap((write) => [`${write}:before`, `${write}:after`]);
/** Of these a path passes about one per event; of the others seldom more than two. */
const pointOf = (i: number, length: number, roll: (n: number) => number) => {
  const name = names[i % names.length]!;
  return `${name}#${1 + roll(/^stat/.test(name) ? length + 2 : 2)}`;
};

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.stop());

test('a path whose worker is killed on the way ends as without', { timeout: 7_200_000 }, async () => {
  const roll = dice(seed);
  const mixed = onlyPath ? paths.filter(([n]) => n === Number(onlyPath)) : shuffled(paths, roll);
  const chosen = isFull || onlyPath ? mixed : mixed.slice(0, sampleSize);
  const rows: Row[] = [];
  const faults: string[] = [];
  await each(chosen, atOnce, async ([n, path], i) => {
    const point = onlyPoint ?? pointOf(i, path.length, roll);
    const blame = (what: unknown) =>
      faults.push(`COX_PATH=${n}:${point} (seed ${seed}) on ${path.map(label).join(' → ')}: ${what}`);
    try {
      const { changed, ...verdict } = await walkPath(place, path, point, expectedOf(path)!);
      const row = { scenario: 'paths', point, verdict, changed };
      rows.push(row);
      for (const fault of faultsOf(row)) blame(fault);
    } catch (cause) {
      blame(cause);
    }
    if (isFull && i % 50 === 49) process.stdout.write(`${i + 1} of ${chosen.length}\n`);
  });
  process.stdout.write(`${chosen.length} of ${paths.length} paths, seed ${seed}\n${table(rows)}\n`);
  expect(faults).toEqual([]);
});
