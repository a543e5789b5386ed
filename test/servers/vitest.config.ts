/** `npm run test:servers`. The servers share the cores with their model, so one file runs at a time. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['test/servers/**/*.test.ts'],
    globalSetup: ['test/support/needed-files.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 1_200_000,
    // A server is built from source on first use.
    hookTimeout: 3_600_000,
    teardownTimeout: 60_000,
  },
});
