/** The output of a matrix: points × scenarios, and how the runs ended. */
import type { Outcome, Verdict } from './trial.ts';

/** One crash, as `COX_CRASH=<scenario>:<point>` names it. */
export interface Cell {
  readonly scenario: string;
  readonly point: string;
}
export interface Row extends Cell {
  readonly verdict: Pick<Verdict, 'died' | 'asked' | 'lost' | 'doubled' | 'stuck'>;
  /** Differences from the run without a crash. */
  readonly changed: readonly string[];
}

export const nameOf = (point: string): string => point.split('#')[0]!;

/** The truth resolved every doubt, so the outcome must be the same even then. */
export function compared({ outcome }: Pick<Verdict, 'outcome'>, calm: Outcome): string[] {
  const fates = [...new Set([...Object.keys(calm.fates), ...Object.keys(outcome.fates)])];
  const differing = fates.filter((steer) => outcome.fates[steer] !== calm.fates[steer]);
  return [
    ...(outcome.result === calm.result ? [] : [`${outcome.result} instead of ${calm.result}`]),
    ...differing.map((steer) => `${steer} was ${outcome.fates[steer]} instead of ${calm.fates[steer]}`),
  ];
}

export const faultsOf = ({ verdict: { lost, doubled, stuck }, changed }: Row): string[] => [
  ...lost.map((what) => `lost: ${what}`),
  ...doubled.map((what) => `doubled: ${what}`),
  ...stuck.map((what) => `stuck: ${what}`),
  ...changed.map((what) => `changed: ${what}`),
];

export function table(rows: readonly Row[]): string {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  const points = [...new Set(rows.map(({ point }) => nameOf(point)))].sort();
  const count = (some: readonly Row[], of: (row: Row) => boolean) => some.filter(of).length;
  const sum = (some: readonly Row[]) => [
    some.length,
    count(some, ({ verdict }) => verdict.died),
    count(some, ({ verdict }) => verdict.lost.length > 0),
    count(some, ({ verdict }) => verdict.doubled.length > 0),
    count(some, ({ verdict }) => verdict.stuck.length > 0),
    count(some, ({ verdict }) => verdict.asked > 0),
    count(some, ({ changed }) => changed.length > 0),
  ];
  const lines = [
    ['killed at', ...scenarios, 'tried', 'killed', 'lost', 'doubled', 'stuck', 'asked', 'changed'],
    ...points.map((name) => {
      const here = rows.filter(({ point }) => nameOf(point) === name);
      return [name, ...scenarios.map((of) => count(here, ({ scenario }) => scenario === of)), ...sum(here)];
    }),
    ['all', ...scenarios.map((of) => count(rows, ({ scenario }) => scenario === of)), ...sum(rows)],
  ].map((line) => line.map(String));
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
