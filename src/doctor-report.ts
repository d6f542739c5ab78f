/** What `firebreak doctor` says, line by line: what was looked at and holds, what does not, and what was not looked at. */
import { asError, SetupError, UpstreamError, UserError } from './contracts/errors.ts';
import { awsErrorFacts } from './domain/aws-errors.ts';

/** `open` was not looked at, or cannot be told from here: neither right nor wrong (safety rule 9). */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'FAIL' | 'open';
  readonly says: string;
}

export function open(what: string, says: string): Finding {
  return { what, state: 'open', says };
}

export function fails(what: string, says: string): Finding {
  return { what, state: 'FAIL', says };
}

/** `look` returns what holds, or throws what does not. */
export async function check(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, state: 'ok', says: await look() };
  } catch (error) {
    const isOurs = error instanceof SetupError || error instanceof UpstreamError || error instanceof UserError;
    return fails(what, isOurs ? error.message : `${awsErrorFacts(error).code}: ${asError(error).message}`);
  }
}

/** One line each; what comes from elsewhere breaks none. */
export function lineOf({ what, state, says }: Finding): string {
  return `${state.padEnd(4)}  ${what}: ${says.replaceAll(/\s+/gu, ' ')}\n`;
}
