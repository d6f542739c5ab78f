import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/compiled.ts',
    testTimeout: 90_000,
    // A start that takes 3 s of processor time was seen to take 50 s on a busy host.
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    // Twice what CI's machine has: most tests of whole processes wait, for Slack's pace, IAM's delay or a restart.
    maxWorkers: 4,
    // Real servers and child processes: one process per file keeps their leftovers apart.
    pool: 'forks',
    // Its modules name each other without their endings, which Node does not follow.
    server: { deps: { inline: ['dt-sql-parser'] } },
  },
});
