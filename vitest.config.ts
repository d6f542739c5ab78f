import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Real servers and child processes: one process per file keeps their leftovers apart.
    pool: 'forks',
  },
});
