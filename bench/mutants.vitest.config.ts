/** The tests that must notice a change of a condition in the approval's rules: `npm run mutants`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/src/domain/{approval,approval-on-host,approval-policy,blanks,people,plan,rules,watch}.test.ts',
      'test/src/domain/{one-time-code,session-policy,role-check}.test.ts',
    ],
  },
});
