/** `/ir restrict IR-123 @person ...`: closes a case to a named few, an insider's for example. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';

export const restrict = defineCommand({
  name: 'restrict',
  summary: 'Closes a case to the people named, and to you: its card tells others nothing, news goes to them directly.',
  usage: '/ir restrict <IR-123> @person ...',
  role: 'approver',
  args: z.object({ words: z.array(z.string()).min(1, 'name the case and the people'), flags: z.object({}) }),
  examples: ['IR-123 <@U0123456789|rosa>', 'ir-7 U0123456789 U0123456788'],
  decide({ words }) {
    const [word = '', ...named] = words;
    const caseId = word.toUpperCase();
    if (!/^IR-\d{1,12}$/.test(caseId))
      throw new UserError('Name the case, as IR-123.', 'Usage: /ir restrict IR-123 @person ...');
    const people = named.map((name) =>
      /^<@([UW][A-Z0-9]{2,})(?:\|[^>]*)?>$|^([UW][A-Z0-9]{2,})$/.exec(name.replace(/,$/, '')),
    );
    const userIds = people.map((found) => found?.[1] ?? found?.[2] ?? '');
    if (userIds.length === 0 || userIds.includes('')) {
      throw new UserError('Name people by a mention or by their Slack id.', 'Usage: /ir restrict IR-123 @person ...');
    }
    return Promise.resolve({ kind: 'restrict', caseId, userIds: [...new Set(userIds)] });
  },
});
