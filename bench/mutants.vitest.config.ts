/** The tests that must notice a change of a condition in the approval's rules: `npm run mutants`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/src/domain/{approval,approval-policy,blanks,people,plan}.test.ts'],
  },
});
