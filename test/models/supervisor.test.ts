import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { supervisor } from '../../machines/supervisor.ts';
import { walkWithCrash } from './crash.ts';
import { coverage, isLarge, seed } from './report.ts';
import { label, type ModelEvent } from './supervisor/alphabet.ts';
import { crashSense } from './supervisor/crash.ts';
import { asking, others, type Policy, paths } from './supervisor/explore.ts';
import { model } from './supervisor/model.ts';
import { walk, wander } from './walk.ts';

const covered = new Set<string>();
let count = 0;
const nameOf = (path: readonly ModelEvent[]) => path.map(label).join(' → ');
/** Names the failed path in the error. */
const named = (path: readonly ModelEvent[], test: () => void) => {
  try {
    test();
  } catch (wrong) {
    throw new Error(`on ${nameOf(path)}`, { cause: wrong });
  }
};
const policies = [asking, ...others].map((policy) => ({ policy, name: policy.onFailure }));
/** The events after which a walk is broken off: all of them, or for the big set the last and the middle one. */
const placesIn = (path: readonly ModelEvent[], policy: Policy) =>
  policy !== asking || isLarge ? path.keys() : new Set([path.length - 1, Math.floor(path.length / 2)]);

describe.each(policies)('a supervisor whose directive is $name keeps its contract', ({ policy }) => {
  const chart = model(supervisor, policy);

  it('on every edge of its graph', { timeout: 300_000 }, () => {
    const all = paths('small', policy);
    count += all.length;
    for (const path of all) named(path, () => walk(chart, path, covered));
  });

  it.runIf(isLarge)('on every edge of the finer graph', { timeout: 3_600_000 }, () => {
    for (const path of paths('large', policy)) named(path, () => walk(chart, path, covered));
  });

  it('on random sequences of events', { timeout: 300_000 }, () => {
    const picks = fc.array(fc.nat(1_000_000), { maxLength: 40 });
    fc.assert(
      fc.property(picks, (numbers) => wander(chart, numbers, covered)),
      { numRuns: isLarge ? 10_000 : 500, seed },
    );
  });

  it('after a loss at any event, with the same outcome', { timeout: 600_000 }, () => {
    for (const path of paths('tiny', policy)) {
      const plain = walkWithCrash(chart, crashSense, path, -1);
      for (const at of placesIn(path, policy)) {
        named(path, () => {
          const crashed = walkWithCrash(chart, crashSense, path, at);
          expect(crashed?.summary, `lost after event ${at + 1}`).toBe(plain?.summary);
        });
      }
    }
  });
});

afterAll(() => {
  expect(coverage(supervisor, covered, count), 'never taken, never rested in').toEqual([]);
});
