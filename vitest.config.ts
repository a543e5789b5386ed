import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Tests of real inference and of the installed package need the whole machine: beside other tests a model is several times
 * slower. They run after the others, one file at a time.
 */
const alone = ['test/roster/embedded/**/*.test.ts', 'test/package/**/*.test.ts', 'test/**/*.inference.test.ts'];

/** Model servers of others have a run of their own: test/servers/vitest.config.ts. */
const servers = 'test/servers/**/*.test.ts';

/**
 * The longest test files start first; started last, they would leave a core idle at the end. vitest cannot sort them itself in a
 * fresh clone, which has no timings yet.
 */
const longest = ['models/mutation', 'models/supervisor', 'e2e/commands', 'faults/', 'e2e/crew', 'e2e/repl', 'platform/download'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((part) => moduleId.includes(`/test/${part}`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Far above the duration of any test on the slowest machine, so that only a test that hangs reaches the limit.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/needed-files.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, servers],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
