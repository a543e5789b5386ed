import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Real inference and the installed package want the whole machine: beside anything else a model is several times slower. They run after
 * the others, one file at a time.
 */
const alone = ['test/roster/embedded/**/*.test.ts', 'test/package/**/*.test.ts', 'test/**/*.inference.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/needed-files.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.ts'],
          exclude: alone,
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
