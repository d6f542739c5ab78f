/** `/ir open IR-123`: the card of a case that has none yet, a digest's line for example. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';

export const open = defineCommand({
  name: 'open',
  summary: 'Posts the card of a case that has none yet: a line of a digest, or a snoozed one.',
  usage: '/ir open <IR-123>',
  role: 'responder',
  args: z.object({
    words: z.tuple([
      z
        .string('name the case, as IR-123')
        .transform((word) => word.toUpperCase())
        .pipe(z.string().regex(/^IR-\d{1,12}$/, 'name the case, as IR-123')),
    ]),
    flags: z.object({}),
  }),
  examples: ['IR-123', 'ir-7'],
  decide({ words: [caseId] }) {
    return Promise.resolve({ kind: 'open', caseId });
  },
});
