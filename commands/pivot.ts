/** `/ir pivot`: the whole story of one artifact. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationFlags,
  investigationOptions,
  investigationUsage,
  wholeNumber,
} from '#src/domain/investigation-flags.ts';

export const pivot = defineCommand({
  name: 'pivot',
  summary: 'Who, from where, what else, what is still alive: follows one artifact until the circle closes.',
  usage: `/ir pivot <ARN | key id | IP | resource id | event id> [--depth N] [--hub-limit N] ${investigationUsage}`,
  role: 'responder',
  options: { ...investigationOptions, depth: { type: 'string' }, 'hub-limit': { type: 'string' } },
  args: z.object({
    words: z.array(z.string()).length(1, 'name one artifact to pivot on'),
    flags: z.object({
      ...investigationFlags,
      depth: wholeNumber.max(100).optional(),
      'hub-limit': wholeNumber.optional(),
    }),
  }),
  examples: [
    'AKIAIOSFODNN7EXAMPLE',
    'arn:aws:iam::999999999999:user/pipeline --since 15d',
    '203.0.113.99 --hub-limit 0',
    'i-0ba42452619fc45aa',
  ],
  async decide({ words, flags }) {
    return investigateArtifact('pivot', words[0] ?? '', flags, {
      ...(flags.depth === undefined ? {} : { depth: flags.depth }),
      ...(flags['hub-limit'] === undefined ? {} : { hubLimit: flags['hub-limit'] }),
    });
  },
});
