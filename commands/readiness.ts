/** `/ir readiness`: what would be missing in an incident. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';

export const readiness = defineCommand({
  name: 'readiness',
  summary: 'Says what would be missing in an incident, per account and Region, and what to fix first.',
  usage: '/ir readiness [account id ...]',
  role: 'responder',
  args: z.object({
    words: z.array(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id')).max(50, 'is more than 50 accounts'),
    flags: z.object({}),
  }),
  examples: ['', '999999999999'],
  async decide({ words }) {
    const what = words.length === 0 ? 'every account' : words.join(', ');
    return {
      kind: 'investigate',
      investigation: 'readiness',
      request: { target: words.length === 0 ? {} : { only: words } },
      notice: `Looking at how ready ${what} would be for an incident.`,
    };
  },
});
