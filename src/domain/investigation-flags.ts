/** What the commands that start an investigation have in common: their flags, and how a typed artifact becomes a request. */
import { z } from 'zod';
import type { CommandOutcome, InvestigationRequest } from '../contracts/command.ts';
import { classify } from './artifact.ts';

export const wholeNumber = z.coerce
  .number({ error: 'is not a number' })
  .int('is not a whole number')
  .min(0, 'is below 0');

/** In the form of node:util parseArgs. */
export const investigationOptions = {
  since: { type: 'string' },
  until: { type: 'string' },
  accounts: { type: 'string' },
  regions: { type: 'string' },
  'max-events': { type: 'string' },
  'max-requests': { type: 'string' },
} as const;

/** The same flags, checked: a shape to spread into a command's own `flags`. */
export const investigationFlags = {
  since: z.string().optional(),
  until: z.string().optional(),
  accounts: list(/^\d{12}$/, 'is not a 12-digit account id').optional(),
  regions: list(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name').optional(),
  'max-events': wholeNumber.min(1).optional(),
  'max-requests': wholeNumber.min(1).optional(),
};

type Flags = z.output<z.ZodObject<typeof investigationFlags>>;

/** For the end of a usage line. */
export const investigationUsage = '[--since 15d] [--until T] [--accounts A,B] [--regions R,S]';

/** The arguments of a command that takes one word and the common flags. `problem` says which word is wanted. */
export function oneWordArgs(problem: string) {
  return z.object({ words: z.array(z.string()).length(1, problem), flags: z.object(investigationFlags) });
}

/** The request of an investigation: its own target, and window, places and budget from the flags. */
export function requestOf(target: Readonly<Record<string, unknown>>, flags: Flags): InvestigationRequest {
  return {
    target,
    since: flags.since,
    until: flags.until,
    accounts: flags.accounts,
    regions: flags.regions,
    maxEvents: flags['max-events'],
    maxRequests: flags['max-requests'],
  };
}

/**
 * Starts `investigation` on a typed artifact; `more` are further fields of its target. Throws UserError, with a hint, for
 * a word that is no artifact.
 */
export function investigateArtifact(
  investigation: string,
  word: string,
  flags: Flags,
  more: Readonly<Record<string, unknown>> = {},
): CommandOutcome {
  const { artifact, takenFor, note } = classify(word);
  return {
    kind: 'investigate',
    investigation,
    request: requestOf({ artifact: artifact.id, ...more }, flags),
    notice: `Looking into ${artifact.id}, taken for ${takenFor}.${note === undefined ? '' : ` ${note}`}`,
  };
}

function list(pattern: RegExp, problem: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(z.array(z.string().regex(pattern, problem)).min(1));
}
