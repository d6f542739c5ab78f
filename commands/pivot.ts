/** `/ir pivot`: the whole story of one artifact. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { classify } from '#src/domain/artifact.ts';

const wholeNumber = z.coerce.number({ error: 'is not a number' }).int('is not a whole number').min(0, 'is below 0');

export const pivot = defineCommand({
  name: 'pivot',
  summary: 'Who, from where, what else, what is still alive: follows one artifact until the circle closes.',
  usage:
    '/ir pivot <ARN | key id | IP | resource id | event id> [--since 15d] [--until T] [--depth N] [--hub-limit N] [--accounts A,B] [--regions R,S]',
  role: 'responder',
  options: {
    depth: { type: 'string' },
    'hub-limit': { type: 'string' },
    'max-events': { type: 'string' },
    'max-requests': { type: 'string' },
    since: { type: 'string' },
    until: { type: 'string' },
    accounts: { type: 'string' },
    regions: { type: 'string' },
  },
  args: z.object({
    words: z.array(z.string()).length(1, 'name one artifact to pivot on'),
    flags: z.object({
      depth: wholeNumber.max(100).optional(),
      'hub-limit': wholeNumber.optional(),
      'max-events': wholeNumber.min(1).optional(),
      'max-requests': wholeNumber.min(1).optional(),
      since: z.string().optional(),
      until: z.string().optional(),
      accounts: list(/^\d{12}$/, 'is not a 12-digit account id').optional(),
      regions: list(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name').optional(),
    }),
  }),
  examples: [
    'AKIAIOSFODNN7EXAMPLE',
    'arn:aws:iam::999999999999:user/pipeline --since 15d',
    '203.0.113.99 --hub-limit 0',
    'i-0ba42452619fc45aa',
  ],
  decide({ words, flags }) {
    const { artifact, takenFor, note } = classify(words[0] ?? '');
    return Promise.resolve({
      kind: 'investigate',
      investigation: 'pivot',
      request: {
        target: {
          artifact: artifact.id,
          ...(flags.depth === undefined ? {} : { depth: flags.depth }),
          ...(flags['hub-limit'] === undefined ? {} : { hubLimit: flags['hub-limit'] }),
        },
        since: flags.since,
        until: flags.until,
        accounts: flags.accounts,
        regions: flags.regions,
        maxEvents: flags['max-events'],
        maxRequests: flags['max-requests'],
      },
      notice: `Looking into ${artifact.id}, taken for ${takenFor}.${note === undefined ? '' : ` ${note}`}`,
    });
  },
});

function list(pattern: RegExp, problem: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(z.array(z.string().regex(pattern, problem)).min(1));
}
