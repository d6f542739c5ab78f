/** `/ir freeze`: stops all writes at once. Any responder may; lifting it takes two approvers, or the host (safety rule 10). */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';

export const freeze = defineCommand({
  name: 'freeze',
  summary:
    'Stops every write to AWS but an undo, at once, until two approvers say --lift within 30 minutes or the host does.',
  usage: '/ir freeze [--lift] <reason>',
  role: 'responder',
  options: { lift: { type: 'boolean' } },
  args: z.object({ words: z.array(z.string()), flags: z.object({ lift: z.boolean().optional() }) }),
  examples: ['attacker may hold a Slack session', '--lift all sessions were revoked'],
  decide({ words, flags }) {
    const reason = words.join(' ').trim();
    if (reason === '')
      throw new UserError('Say why: the reason goes into the audit.', 'Usage: /ir freeze [--lift] <reason>');
    return Promise.resolve({ kind: 'freeze', frozen: flags.lift !== true, reason: reason.slice(0, 300) });
  },
});
