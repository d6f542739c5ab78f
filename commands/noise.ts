/** `/ir noise`: what made the noise. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { noiseReport } from '#src/domain/noise-report.ts';
import { parseDuration } from '#src/domain/window.ts';

export const noise = defineCommand({
  name: 'noise',
  summary: 'Shows which kinds of alerts made the noise, and what became of them.',
  usage: '/ir noise [--window 7d]',
  role: 'responder',
  options: { window: { type: 'string' } },
  args: z.object({
    words: z.array(z.string()).max(0, 'takes no words'),
    flags: z.object({ window: z.string().optional() }),
  }),
  examples: ['', '--window 24h'],
  async decide({ flags }, ctx) {
    const until = ctx.now.toISOString();
    const since = new Date(ctx.now.getTime() - parseDuration(flags.window ?? '7d')).toISOString();
    const rows = (await ctx.noise?.(since, until)) ?? [];
    return { kind: 'reply', message: noiseReport(rows, since, until, []), json: { since, until, rows } };
  },
});
