/** Which accounts Athena has no logs of at all: what was not found there was not looked at. */
import type { AthenaQuestions, AthenaScope, AthenaTableName } from '../../contracts/athena.ts';
import { UpstreamError, UserError } from '../../contracts/errors.ts';
import { few } from '../answers.ts';
import { count } from '../phrases.ts';

const askedAtOnce = 50;
const logs = {
  cloudtrail: { name: 'CloudTrail', none: 'no record of it' },
  flowLogs: { name: 'VPC flow logs', none: 'no line of them' },
  dns: { name: 'Resolver query logs', none: 'no line of them' },
} as const;

/** What is said of an account of which Athena has nothing. */
export function nothingOf(table: AthenaTableName, account: string): string {
  return `${logs[table].name} of account ${account}: Athena has ${logs[table].none} in that time`;
}

export interface Heard {
  /** Accounts without a record in the scope. One that does anything at all has records of CloudTrail. */
  readonly silent: readonly string[];
  /** What was not looked at because of that, and what could not be found out. */
  readonly gaps: readonly string[];
  readonly bytes: number;
}

/** @param heard accounts that a record is known of: they are not asked for. Rejects only with what aborted the signal. */
export async function silentAccounts(
  { athena, signal }: { readonly athena: AthenaQuestions; readonly signal: AbortSignal },
  table: AthenaTableName,
  scope: AthenaScope,
  heard: ReadonlySet<string | undefined>,
): Promise<Heard> {
  const { name } = logs[table];
  const quiet = scope.accounts.filter((account) => !heard.has(account));
  const silent: string[] = [];
  const gaps: string[] = [];
  let bytes = 0;
  for (let at = 0; at < quiet.length; at += askedAtOnce) {
    const accounts = quiet.slice(at, at + askedAtOnce);
    try {
      const answer = await athena.ask(athena.heard(table, { ...scope, accounts }));
      bytes += answer.bytes;
      const found = new Set(answer.rows.map(([account]) => account));
      silent.push(...accounts.filter((account) => !found.has(account)));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError || error instanceof UpstreamError)) throw error;
      if (error instanceof UpstreamError && error.code === 'NothingRead') silent.push(...accounts);
      else
        gaps.push(
          `whether Athena has ${name} of ${count(accounts.length, 'account')} (${few(accounts)}): ${error.message}`,
        );
    }
  }
  gaps.unshift(...silent.map((account) => nothingOf(table, account)));
  return { silent, gaps, bytes };
}
