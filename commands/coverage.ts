/** `/ir coverage`: what can be looked at. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const coverage = defineCommand({
  name: 'coverage',
  summary: 'Says which accounts, Regions, sources and times can be looked at, and which cannot.',
  usage: `/ir coverage ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({ words: z.array(z.string()).max(0, 'takes no words'), flags: z.object(investigationFlags) }),
  examples: ['', '--since 90d'],
  async decide({ flags }) {
    return {
      kind: 'investigate',
      investigation: 'coverage',
      request: requestOf({}, flags),
      notice: 'Asking every source whether it answers.',
    };
  },
});
