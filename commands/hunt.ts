/** `/ir hunt`: rules over all that the logs hold. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';

export const hunt = defineCommand({
  name: 'hunt',
  summary: 'Runs detection rules over every event of a window, the rare and severe matches first.',
  usage: `/ir hunt [rule | technique | tactic | level | baselines | all] ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: z.object({
    words: z.array(z.string()),
    flags: z.object(investigationFlags),
  }),
  examples: [
    '',
    'all --since 24h',
    'T1098 --since 30d',
    'persistence',
    'high',
    'cloudtrail-logging-stopped',
    'baselines --since 90d',
  ],
  async decide({ words, flags }) {
    const pick = words.join(' ').trim() || 'all';
    return {
      kind: 'investigate',
      investigation: 'hunt',
      request: requestOf({ pick }, flags),
      notice: `Hunting for ${pick === 'all' ? 'everything that the rules know' : pick}.`,
    };
  },
});
