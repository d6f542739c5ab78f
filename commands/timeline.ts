/** `/ir timeline`: every event of one artifact, in order. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationFlags,
  investigationOptions,
  investigationUsage,
} from '#src/domain/investigation-flags.ts';

export const timeline = defineCommand({
  name: 'timeline',
  summary: 'Lists every event of an artifact in order of time, with what is known to be telling first.',
  usage: `/ir timeline <ARN | key id | IP | resource id> [--sessions] ${investigationUsage}`,
  role: 'responder',
  options: { ...investigationOptions, sessions: { type: 'boolean' } },
  args: z.object({
    words: z.array(z.string()).length(1, 'name one artifact'),
    flags: z.object({ ...investigationFlags, sessions: z.boolean().optional() }),
  }),
  examples: ['AKIAIOSFODNN7EXAMPLE', 'arn:aws:iam::999999999999:user/pipeline --sessions --since 15d'],
  async decide({ words, flags }) {
    return investigateArtifact('timeline', words[0] ?? '', flags, { sessions: flags.sessions ?? false });
  },
});
