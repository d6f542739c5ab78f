/** An action that is one inline policy on a user or role (DOMAIN.md 5.3 to 5.6). The files beside it say which. */
import type { z } from 'zod';
import {
  type ActionContext,
  type Caution,
  type CompletionContext,
  type ContainmentAction,
  defineAction,
} from '#src/contracts/action.ts';
import type { Applied, DoneCall } from '#src/contracts/approval.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import {
  holdsDocument,
  InlineState,
  inlinePermissions,
  inlineState,
  inlineStatements,
  isDocument,
  putCall,
  restoreCall,
} from './inline-policy.ts';
import { accountOfPrincipal, PrincipalTarget, principalIn } from './principal.ts';
import { simulated } from './simulate.ts';

export interface InlineAction<Target extends PrincipalTarget = PrincipalTarget> {
  readonly name: string;
  readonly title: string;
  readonly impact: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly kinds: readonly PrincipalTarget['kind'][];
  /** One for each target that another plan on the same principal must leave as it is. */
  readonly policyName: string | ((target: Target) => string);
  /** For actions whose target says more than whom: its schema, and how it is typed. */
  readonly more?: { readonly schema: z.ZodType<Target>; parse(words: readonly string[]): Target };
  /** Fills in what only the logs tell, before the plan is hashed. */
  complete?(target: Target, before: InlineState, ctx: CompletionContext): Promise<Target>;
  /** The document that is put; it may hold blanks. */
  document(before: InlineState, target: Target): object;
  /** Names beside the principal's that the protected list is compared with. */
  alsoTouches?(target: Target): readonly string[];
  readonly reversal: string;
  undoCaution?(target: Target, applied: Applied, now: Date): Caution;
  /** Why taking the place of the document that is there asks for two people. */
  caution?(target: Target, before: InlineState): Caution;
  concerns?(record: CloudTrailRecord, target: Target, done: readonly DoneCall[]): boolean;
  readonly isPartial?: true;
  /** More for the card, from the completed target. */
  background?(target: Target): readonly string[];
  /** IAM actions that `complete` reads with, beside those of every inline policy. */
  readonly completionReads?: readonly string[];
  /** IAM actions for the policy simulator. */
  readonly simulated?: readonly string[];
  mintedLivesMs?(before: InlineState): number;
  willNotStop(before: InlineState): readonly string[];
  /** `is denied everything`, where the policy is there as this action writes it. */
  readonly inForce: string;
}

/** Throws nothing; what its methods throw is said in contracts/action.ts. */
export function inlineAction<Target extends PrincipalTarget = PrincipalTarget>(
  spec: InlineAction<Target>,
): ContainmentAction {
  const { kinds, usage } = spec;
  const policyOf = (target: Target) =>
    typeof spec.policyName === 'string' ? spec.policyName : spec.policyName(target);
  const schema = (spec.more?.schema ?? PrincipalTarget) as z.ZodType<Target>;
  const { complete, simulated: probes } = spec;
  const permissions = inlinePermissions(kinds);
  const simulating = probes === undefined ? [] : ['iam:SimulatePrincipalPolicy'];
  const action = defineAction({
    name: spec.name,
    title: spec.title,
    impact: spec.impact,
    usage,
    examples: spec.examples,
    target: schema,
    before: InlineState,
    permissions: {
      read: [...permissions.read, ...(spec.completionReads ?? []), ...simulating].sort(),
      write: permissions.write,
    },
    approvals: 1,
    reversal: spec.reversal,
    parse: (words: readonly string[]) => spec.more?.parse(words) ?? (principalIn(words, kinds, usage) as Target),
    accountOf: (target: Target) => accountOfPrincipal(target),
    artifact: ({ kind }: Target, before: InlineState) => ({ kind, id: before.principalArn }),
    inspect: (target, ctx) => inlineState(target, policyOf(target), ctx),
    background: (target: Target) => Promise.resolve(spec.background?.(target) ?? []),
    ...(complete === undefined ? {} : { complete }),
    // Keys and policies may change under an attacker's hands, one of our policy's name among them: that voids no deny.
    binds: ({ principalArn, principalId }: InlineState) => ({ principalArn, principalId }),
    touches: (target: Target, { principalArn, principalId }: InlineState) => [
      principalArn,
      principalId,
      target.name,
      ...(spec.alsoTouches?.(target) ?? []),
    ],
    apply: (target: Target, before: InlineState) => [
      putCall(target, policyOf(target), spec.document(before, target), before.partition),
    ],
    undo: (target: Target, now: InlineState, applied: Applied) => restoreCall(target, policyOf(target), now, applied),
    verify: holdsDocument,
    sessionPolicy: ({ kind }: Target, { principalArn }: InlineState) => ({
      Version: '2012-10-17' as const,
      Statement: inlineStatements(literalArn(principalArn), [kind]),
    }),
    roleStatements: (accountId: string, partition: string) =>
      kinds.flatMap((kind) => inlineStatements(`arn:${partition}:iam::${accountId}:${kind}/*`, [kind])),
    ...(probes === undefined
      ? {}
      : {
          effect: (_target: Target, { principalArn }: InlineState, ctx: ActionContext) =>
            simulated(principalArn, probes, ctx),
        }),
    willNotStop: spec.willNotStop,
    describe(target: Target, state: InlineState) {
      const { kind, name } = target;
      if (state.document === '') return `${kind} ${name} has no policy ${policyOf(target)}`;
      if (isDocument(state.document, spec.document(state, target))) return `${kind} ${name} ${spec.inForce}`;
      return `${kind} ${name} has a policy ${policyOf(target)} that says something else`;
    },
    undoCaution: (target: Target, applied: Applied, now: Date) => spec.undoCaution?.(target, applied, now),
    caution: (target: Target, before: InlineState) => spec.caution?.(target, before),
    concerns: (record: CloudTrailRecord, target: Target, done: readonly DoneCall[]) =>
      spec.concerns?.(record, target, done) ?? true,
    ...(spec.isPartial === undefined ? {} : { isPartial: spec.isPartial }),
    mintedLivesMs: (before: InlineState) => spec.mintedLivesMs?.(before) ?? 3_600_000,
  });
  return action as unknown as ContainmentAction;
}
