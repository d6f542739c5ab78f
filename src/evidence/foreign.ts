/** Accounts outside of the question: what belongs to them is not "absent" where their logs were not looked at (safety rule 9). */
import type { Artifact } from '../contracts/artifact.ts';
import type { Evidence } from '../contracts/evidence.ts';
import { isIdentity, parseArn } from '../domain/principal.ts';

const shown = 5;

/**
 * The same evidence, which says of every identity that was asked for whether its own account was looked at. An answer that rests on
 * one whose account was not is incomplete.
 * @param held accounts whose logs the lake holds
 */
export function tellingForeign(evidence: Evidence, held: readonly string[]): Evidence {
  /** Account to the first identity of it that was asked for. */
  const asked = new Map<string, string>();
  return {
    ...evidence,
    recordsOf(artifact) {
      const account = accountOf(artifact);
      if (account !== undefined && !asked.has(account)) asked.set(account, artifact.id);
      return evidence.recordsOf(artifact);
    },
    coverage() {
      const coverage = evidence.coverage();
      const looked = new Set(coverage.accounts);
      if (looked.size === 0) return coverage;
      const others = held.filter((account) => !looked.has(account)).sort();
      const foreign = [...asked].filter(([account]) => !looked.has(account));
      const lines = foreign
        .slice(0, shown)
        .map(
          ([account, id]) =>
            `account ${account}, to which ${id} belongs: it is not among the accounts that are looked at${others.includes(account) ? `; its logs are in the lake, ask with --accounts ${account}` : ''}`,
        );
      if (foreign.length > shown) lines.push(`${foreign.length - shown} more accounts of identities in this answer`);
      const untold = others.filter((account) => !asked.has(account));
      // Left out by the question itself: nothing that was to be looked at is missing for it.
      if (untold.length > 0)
        lines.push(
          `logs in the lake of ${untold.length === 1 ? 'account' : `${untold.length} accounts:`} ${untold.slice(0, shown).join(', ')}${untold.length > shown ? ', ...' : ''}, not in the question: ask with --accounts`,
        );
      return {
        ...coverage,
        complete: coverage.complete && foreign.length === 0,
        notLookedAt: [...coverage.notLookedAt, ...lines],
      };
    },
  };
}

/** Of identities only: a bucket has none in its ARN, and a key's id may lie about it. */
function accountOf({ kind, id }: Artifact): string | undefined {
  if (kind === 'account') return id;
  const account = kind !== 'event' && isIdentity(kind) ? parseArn(id)?.accountId : undefined;
  return account !== undefined && /^\d{12}$/.test(account) ? account : undefined;
}
