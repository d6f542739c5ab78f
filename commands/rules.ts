/** `/ir rules`: the rules themselves. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const rules = defineCommand({
  name: 'rules',
  summary: 'Shows the detection rules, what they cover, and how often each would have fired.',
  usage: `/ir rules [rule | technique | tactic | level | all] ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({ words: z.array(z.string()), flags: z.object(investigationFlags) }),
  examples: ['', 'T1098 --since 30d', 'defense-evasion'],
  async decide({ words, flags }) {
    const pick = words.join(' ').trim() || 'all';
    return {
      kind: 'investigate',
      investigation: 'rules',
      request: requestOf({ pick }, flags),
      notice: `Trying ${pick === 'all' ? 'all rules' : `the rules for ${pick}`} on the past.`,
    };
  },
});
