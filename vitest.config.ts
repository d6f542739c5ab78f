import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests of whole processes take a minute or more each: begun last, one of them would run on alone. */
class WholeProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => /\/test\/(e2e|containment)\//.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    // More than CI's machine has: most tests of whole processes wait, for Slack's pace, IAM's delay or a restart.
    maxWorkers: 5,
    sequence: { sequencer: WholeProcessesFirst },
    // Real servers and child processes: one process per file keeps their leftovers apart.
    pool: 'forks',
    // Its modules name each other without their endings, which Node does not follow.
    server: { deps: { inline: ['dt-sql-parser'] } },
  },
});
