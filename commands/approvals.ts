/** `/ir approvals`: what waits for somebody's decision. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { bold, code, count, date, line } from '#src/domain/phrases.ts';

export const approvals = defineCommand({
  name: 'approvals',
  summary: 'Lists the containment plans that wait for a decision or are being carried out.',
  usage: '/ir approvals',
  role: 'responder',
  args: z.object({ words: z.array(z.string()).max(0, 'takes no words'), flags: z.object({}) }),
  examples: [''],
  async decide(_args, ctx) {
    const open = (await ctx.openApprovals?.()) ?? [];
    const frozen = (await ctx.frozen?.()) ?? false;
    const sentence =
      open.length === 0 ? 'No containment plan is open.' : `${count(open.length, 'containment plan')} open.`;
    return {
      kind: 'reply',
      message: {
        text: frozen ? `${sentence} All writes are frozen.` : sentence,
        parts: [
          { kind: 'lines', lines: [line(bold(sentence)), ...(frozen ? [line('All writes are frozen.')] : [])] },
          {
            kind: 'list',
            items: open.map((approval) =>
              line(
                code(approval.state),
                ` ${approval.what}, asked by ${approval.requester}, expires `,
                date(approval.expiresAt),
                '; id ',
                code(approval.id),
              ),
            ),
          },
        ],
      },
      json: { approvals: open, frozen },
    };
  },
});
