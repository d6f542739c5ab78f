/** A role into which the family let somebody: who takes it needs no credential of theirs, and lives on when all of those are ended. */
import { type AliveItem, type Denial, longTermState } from '#src/domain/alive.ts';
import { parseStatements } from '#src/domain/dossier/policy.ts';
import { type Trusted, trustedBy, trustWords } from '#src/domain/dossier/trust.ts';
import type { Opened } from '#src/domain/family.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { parseArn } from '#src/domain/principal.ts';

/**
 * Whether those whom the family wrote into the trust policy may take the role still. `trust`: the policy as IAM has it now, JSON.
 * The policy that the family wrote holds those of before as well: strangers are taken for its own, AWS's services are not, and
 * of those of the account nobody can tell.
 */
export function openedRole(
  arn: string,
  { maker, policy }: Opened,
  trust: string,
  denials: readonly Denial[] | undefined,
): AliveItem {
  const item = { kind: 'role trust', id: arn, of: arn } as const;
  const by = labelOf(maker.by);
  const written = trustedIn(policy, arn);
  const now = trustedIn(trust, arn);
  if (written === undefined || now === undefined) {
    return { ...item, state: 'unknown', because: `${by} wrote who may take it, and that policy cannot be read` };
  }
  const left = now.filter((one) => one.kind !== 'service' && written.some((other) => keyOf(other) === keyOf(one)));
  if (left.length === 0) return { ...item, state: 'dead', because: `nobody whom ${by} let in may take it now` };
  const strangers = left.filter(({ foreign }) => foreign);
  const named = (strangers.length > 0 ? strangers : left).slice(0, 3).map(trustWords).join('; ');
  const judged = longTermState(denials, `${by} wrote into its trust policy, and it still lets in: ${named}`);
  return { ...item, ...judged, ...(judged.state === 'alive' && strangers.length === 0 && { state: 'unknown' }) };
}

function trustedIn(policy: string, arn: string): readonly Trusted[] | undefined {
  const statements = parseStatements(policy);
  return statements === undefined ? undefined : trustedBy(statements, parseArn(arn)?.accountId ?? '');
}

/** IAM writes the number of an account as the ARN of its root. */
function keyOf({ kind, id, accountId }: Trusted): string {
  return kind === 'account' ? `account ${accountId}` : `${kind} ${id}`;
}
