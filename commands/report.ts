/** `/ir report`: a pasted e-mail or a hunch becomes a case. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';

export const report = defineCommand({
  name: 'report',
  summary:
    'Opens a case from a pasted e-mail or a hunch and finds the ARNs, keys, addresses, ids and accounts in it; without words it opens a dialog.',
  usage: '/ir report [what you know]',
  role: 'responder',
  freeText: true,
  args: z.object({ words: z.array(z.string()), flags: z.object({}) }),
  examples: ['', 'AWS wrote that AKIAIOSFODNN7EXAMPLE was seen at hxxps://paste[.]example from 198.51.100[.]7'],
  decide({ words }) {
    return Promise.resolve({ kind: 'report', text: words.join(' ') });
  },
});
