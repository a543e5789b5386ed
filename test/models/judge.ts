/** Finds out whether a chart is wrong: first by the paths of the real one, then by wandering about in it. */
import fc from 'fast-check';
import type { AnyEventObject } from 'xstate';
import { type Model, walk, wander } from './walk.ts';

/** Why the chart is wrong, or null. `seed` makes it repeatable. */
export function judge<Event extends AnyEventObject, Look, Observation>(
  model: Model<Event, Look, Observation>,
  paths: readonly (readonly Event[])[],
  { runs, seed }: { runs: number; seed: number },
): string | null {
  try {
    for (const path of paths) walk(model, path);
  } catch (wrong) {
    return String(wrong);
  }
  const picks = fc.array(fc.nat(1_000_000), { maxLength: 30 });
  // Shrinking is for people: here only whether it fails counts.
  const found = fc.check(
    fc.property(picks, (numbers) => wander(model, numbers)),
    { numRuns: runs, seed, endOnFailure: true },
  );
  return found.failed ? String(found.errorInstance) : null;
}
