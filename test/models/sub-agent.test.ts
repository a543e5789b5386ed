import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { subAgent } from '../../machines/sub-agent.ts';
import { walkWithCrash } from './crash.ts';
import { coverage, isLarge, seed } from './report.ts';
import { label, type ModelEvent } from './sub-agent/alphabet.ts';
import { crashSense } from './sub-agent/crash.ts';
import { paths } from './sub-agent/explore.ts';
import { model } from './sub-agent/model.ts';
import { walk, wander } from './walk.ts';

const covered = new Set<string>();
const chart = model();
const small = paths('small');
const nameOf = (path: readonly ModelEvent[]) => path.map(label).join(' → ');
/** Names the failed path in the error. */
const named = (path: readonly ModelEvent[], test: () => void) => {
  try {
    test();
  } catch (wrong) {
    throw new Error(`on ${nameOf(path)}`, { cause: wrong });
  }
};

describe('a sub-agent keeps its contract', () => {
  it('on every edge of its graph', () => {
    for (const path of small) named(path, () => walk(chart, path, covered));
  });

  it.runIf(isLarge)('on every edge of the finer graphs', { timeout: 3_600_000 }, () => {
    for (const path of [...paths('medium'), ...paths('large')]) named(path, () => walk(chart, path, covered));
  });

  it('on random sequences of events', () => {
    const picks = fc.array(fc.nat(1_000_000), { maxLength: 40 });
    fc.assert(
      fc.property(picks, (numbers) => wander(chart, numbers, covered)),
      { numRuns: isLarge ? 20_000 : 1_000, seed },
    );
  });

  it('after a loss at any event, with the same outcome unless an effect is in doubt', { timeout: 600_000 }, () => {
    for (const path of isLarge ? small : paths('tiny')) {
      const plain = walkWithCrash(chart, crashSense, path, -1);
      for (const at of path.keys()) {
        named(path, () => {
          const crashed = walkWithCrash(chart, crashSense, path, at);
          if (!crashed?.inDoubt) expect(crashed?.summary, `lost after event ${at + 1}`).toBe(plain?.summary);
        });
      }
    }
  });

  afterAll(() => {
    expect(coverage(subAgent, covered, small.length), 'never taken, never rested in').toEqual([]);
  });
});
