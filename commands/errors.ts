/** `/ir errors`: who is denied what from where. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const errors = defineCommand({
  name: 'errors',
  summary: 'Shows who is denied what from where, the rare before the frequent.',
  usage: `/ir errors [ARN | key id | IP | account] ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({
    words: z.array(z.string()).max(1, 'name one artifact or account'),
    flags: z.object(investigationFlags),
  }),
  examples: ['', 'AKIAIOSFODNN7EXAMPLE', '999999999999 --since 24h'],
  async decide({ words, flags }) {
    if (words[0] !== undefined) return investigateArtifact('errors', words[0], flags);
    return {
      kind: 'investigate',
      investigation: 'errors',
      request: requestOf({ accounts: flags.accounts ?? [] }, flags),
      notice: `Looking for failed calls in ${flags.accounts === undefined ? 'every account' : flags.accounts.join(', ')}.`,
    };
  },
});
