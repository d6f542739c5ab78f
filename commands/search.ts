/** `/ir search`: events by any text in what was asked and answered. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { inert } from '#src/domain/inert.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const search = defineCommand({
  name: 'search',
  summary: 'Finds events by any text in their request, response, error or user agent, upper and lower case told apart.',
  usage: `/ir search <text> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({
    words: z
      .array(z.string())
      .min(1, 'name a text')
      .transform((words) => words.join(' '))
      .pipe(z.string().min(3, 'a text of less than 3 characters stands nearly everywhere').max(500, 'is too long')),
    flags: z.object(investigationFlags),
  }),
  examples: ['exfil-bucket', '203.0.113.0/24 --since 30d'],
  async decide({ words, flags }) {
    return {
      kind: 'investigate',
      investigation: 'search',
      request: requestOf({ text: words }, flags),
      notice: `Searching for "${inert(words, 80)}".`,
    };
  },
});
