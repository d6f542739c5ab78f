/** `/ir data-access`: who touched the data of a bucket, table or secret. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { parseStore, storeKinds } from '#src/domain/data-store.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const dataAccess = defineCommand({
  name: 'data-access',
  summary: 'Shows who read or changed the data of a bucket, table or secret, and what the log cannot tell of it.',
  usage: `/ir data-access <bucket | table | secret> [--kind bucket|table|secret] ${investigationUsage}`,
  role: 'responder',
  options: { ...investigationOptions, kind: { type: 'string' } },
  args: z.object({
    words: z.array(z.string()).length(1, 'name one bucket, table or secret'),
    flags: z.object({ ...investigationFlags, kind: z.enum(storeKinds).optional() }),
  }),
  examples: [
    'arn:aws:s3:::payroll-exports',
    'orders --kind table --since 15d',
    'arn:aws:secretsmanager:us-east-1:999999999999:secret:prod/db-AbCdEf',
  ],
  async decide({ words, flags }) {
    const store = parseStore(words[0] ?? '', flags.kind);
    return {
      kind: 'investigate',
      investigation: 'data-access',
      request: requestOf({ artifact: store.id, ...(store.kind ? { kind: store.kind } : {}) }, flags),
      notice: `Looking for who touched the data of ${store.name}, taken for a ${store.kind ?? 'bucket, table or secret'}.`,
    };
  },
});
