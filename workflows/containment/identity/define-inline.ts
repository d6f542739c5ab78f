/** An action that is one inline policy on a user or role (DOMAIN.md 5.3 to 5.6). The files beside it say which. */
import { type Caution, type ContainmentAction, defineAction } from '#src/contracts/action.ts';
import type { Applied } from '#src/contracts/approval.ts';
import {
  holdsDocument,
  InlineState,
  inlinePermissions,
  inlineState,
  inlineStatements,
  putCall,
  restoreCall,
  sameDocument,
} from './inline-policy.ts';
import { accountOfPrincipal, PrincipalTarget, principalIn } from './principal.ts';

export interface InlineAction {
  readonly name: string;
  readonly title: string;
  readonly impact: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly kinds: readonly PrincipalTarget['kind'][];
  readonly policyName: string;
  /** The document that is put; it may hold blanks. */
  document(before: InlineState): object;
  /** Whether a document that is there already does what this action is for; by default only the same one. */
  suffices?(document: string): boolean;
  readonly reversal: string;
  caution?(target: PrincipalTarget, applied: Applied, now: Date): Caution;
  mintedLivesMs?(before: InlineState): number;
  willNotStop(before: InlineState): readonly string[];
  /** `is denied everything`, for a policy that is there. */
  readonly inForce: string;
}

export function inlineAction(spec: InlineAction): ContainmentAction {
  const { policyName, kinds, usage } = spec;
  const suffices = (before: InlineState, document: string) =>
    document !== '' && (spec.suffices?.(document) ?? sameDocument(document, spec.document(before)));
  const action = defineAction({
    name: spec.name,
    title: spec.title,
    impact: spec.impact,
    usage,
    examples: spec.examples,
    target: PrincipalTarget,
    before: InlineState,
    permissions: inlinePermissions(kinds),
    approvals: 1,
    reversal: spec.reversal,
    parse: (words) => principalIn(words, kinds, usage),
    accountOf: accountOfPrincipal,
    artifact: ({ kind }, before) => ({ kind, id: before.principalArn }),
    inspect: (target, ctx) => inlineState(target, policyName, ctx),
    background: () => Promise.resolve([]),
    // The principal's other policies and keys may change under an attacker's hands: that voids no deny.
    binds: ({ principalArn, principalId, document }) => ({ principalArn, principalId, document }),
    touches: ({ name }, { principalArn, principalId }) => [principalArn, principalId, name],
    apply: (target, before) => [putCall(target, policyName, spec.document(before), before.partition)],
    undo: (target, now, applied) => restoreCall(target, policyName, now, applied),
    verify: (direction, before, now, done) =>
      holdsDocument(direction, before, now, (document) => suffices(before, document), done),
    sessionPolicy: ({ kind }, { principalArn }) => ({
      Version: '2012-10-17',
      Statement: inlineStatements(principalArn, [kind]),
    }),
    roleStatements: (accountId, partition) =>
      kinds.flatMap((kind) => inlineStatements(`arn:${partition}:iam::${accountId}:${kind}/*`, [kind])),
    willNotStop: spec.willNotStop,
    describe: ({ kind, name }, { document }) =>
      `${kind} ${name} ${document === '' ? `has no policy ${policyName}` : spec.inForce}`,
    caution: (target, applied, now) => spec.caution?.(target, applied, now),
    mintedLivesMs: (before) => spec.mintedLivesMs?.(before) ?? 3_600_000,
  });
  return action as unknown as ContainmentAction;
}
