/** `/ir triage`: the first hour's questions, all at once. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const triage = defineCommand({
  name: 'triage',
  summary: 'Asks the questions of the first hour about an account, and answers each with evidence.',
  usage: `/ir triage [account id] ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({
    words: z.array(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id')).max(1, 'name one account, or none'),
    flags: z.object(investigationFlags),
  }),
  examples: ['', '999999999999', '--since 15d'],
  async decide({ words, flags }) {
    const [account] = words;
    return {
      kind: 'investigate',
      investigation: 'triage',
      request: requestOf({}, account === undefined ? flags : { ...flags, accounts: [account] }),
      notice: `Going through the questions of the first hour${account === undefined ? '' : ` for account ${account}`}.`,
    };
  },
});
