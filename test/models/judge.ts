/** Finds out whether a chart is wrong: first by the paths of the real chart, then by random walks in it. */
import fc from 'fast-check';
import type { AnyEventObject } from 'xstate';
import { type Model, walk, wander } from './walk.ts';

/** A chart under one policy, with the paths of the real chart under that policy. */
export interface Case<Event extends AnyEventObject, Look, Observation> {
  readonly model: Model<Event, Look, Observation>;
  readonly paths: readonly (readonly Event[])[];
}

/** The error of the chart, or null. Random walks come last since they take longest. `seed` makes them repeatable. */
export function judge<Event extends AnyEventObject, Look, Observation>(
  cases: readonly Case<Event, Look, Observation>[],
  { runs, seed }: { readonly runs: number; readonly seed: number },
): string | null {
  try {
    for (const { model, paths } of cases) for (const path of paths) walk(model, path);
  } catch (wrong) {
    return String(wrong);
  }
  const picks = fc.array(fc.nat(1_000_000), { maxLength: 30 });
  for (const { model } of cases) {
    // Shrinking helps people; here it matters only whether the walk fails.
    const property = fc.property(picks, (numbers) => wander(model, numbers));
    const found = fc.check(property, { numRuns: runs, seed, endOnFailure: true });
    if (found.failed) return String(found.errorInstance);
  }
  return null;
}
