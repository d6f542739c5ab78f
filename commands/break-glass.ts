/** `/ir break-glass`: one person whom the config names approves alone when nobody else answers; with a code, and shouted. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';
import { reasonProblem } from '#src/domain/break-glass.ts';

export const breakGlass = defineCommand({
  name: 'break-glass',
  summary:
    'Approves a waiting plan alone when nobody answers: for whom the config names, with a one-time code; everybody is told.',
  usage: '/ir break-glass <approval id | case id> <reason>',
  role: 'approver',
  args: z.object({ words: z.array(z.string()).min(1, 'Which plan? An id of /ir approvals.'), flags: z.object({}) }),
  examples: ['IR-2026-0042 the attacker is active and nobody answers'],
  decide({ words: [id = '', ...words] }) {
    const reason = words.join(' ').trim();
    const problem = reasonProblem(reason);
    if (problem !== undefined)
      throw new UserError(`${problem}.`, 'Usage: /ir break-glass <approval id | case id> <reason>');
    return Promise.resolve({ kind: 'break-glass', id, reason: reason.slice(0, 300) });
  },
});
