/** Setting one access key Inactive, or Active: the same call, and each the way back of the other. */
import { defineAction } from '#src/contracts/action.ts';
import { accountOfKeyId } from '#src/domain/access-key.ts';
import {
  boundKey,
  exposedBecause,
  KeyState,
  KeyTarget,
  keyBackground,
  keyIn,
  keyReads,
  keyState,
  keyStatements,
  ownerResource,
  updateKeyCall,
} from './access-key.ts';

interface Switch {
  readonly name: string;
  readonly title: string;
  readonly impact: string;
  readonly examples: readonly string[];
  readonly to: 'Active' | 'Inactive';
  readonly approvals: 1 | 2;
  readonly reversal: string;
  readonly mintedLivesMs: number;
  readonly isPartial?: true;
  readonly willNotStop: readonly string[];
}

/** Throws nothing; what its methods throw is said in contracts/action.ts. */
export function switchKey(spec: Switch) {
  const back = spec.to === 'Active' ? 'Inactive' : 'Active';
  return defineAction({
    name: spec.name,
    title: spec.title,
    impact: spec.impact,
    usage: `${spec.name} AKIA...`,
    examples: spec.examples,
    target: KeyTarget,
    before: KeyState,
    permissions: { read: keyReads, write: ['iam:UpdateAccessKey'] },
    approvals: spec.approvals,
    reversal: spec.reversal,
    parse: (words) => keyIn(words, spec.name),
    accountOf: (target) => accountOfKeyId(target.accessKeyId),
    artifact: (target) => ({ kind: 'accessKey', id: target.accessKeyId }),
    inspect: keyState,
    binds: boundKey,
    background: keyBackground,
    touches: (target, before) => [target.accessKeyId, before.userArn, before.userName],
    apply: (target, before) => [updateKeyCall(target.accessKeyId, before, spec.to)],
    // A key that was Expired, say, was not working: it does not come to life by an undo.
    undo: (target, now, applied) =>
      back === 'Active' && applied.before.status !== 'Active' ? [] : [updateKeyCall(target.accessKeyId, now, back)],
    // A key that AWS itself has found in public must not come back to life on one person's word.
    undoCaution(_target, applied, _now, { before, alertType }) {
      if (back === 'Inactive') return undefined;
      const because =
        exposedBecause(before.quarantined, alertType) ?? exposedBecause(applied.before.quarantined, undefined);
      return because === undefined ? undefined : { approvals: 2, because };
    },
    verify(direction, _before, now) {
      const wanted = direction === 'apply' ? spec.to : back;
      return now.status === wanted
        ? { held: true }
        : { held: false, because: `IAM still reads ${now.status}, not ${wanted}` };
    },
    sessionPolicy: (_target, before) => ({
      Version: '2012-10-17',
      Statement: keyStatements('iam:UpdateAccessKey', ownerResource(before)),
    }),
    roleStatements: (accountId, partition) =>
      keyStatements('iam:UpdateAccessKey', `arn:${partition}:iam::${accountId}:user/*`),
    mintedLivesMs: () => spec.mintedLivesMs,
    ...(spec.isPartial === undefined ? {} : { isPartial: spec.isPartial }),
    willNotStop: () => spec.willNotStop,
    describe: (target, state) => `${target.accessKeyId} of user ${state.userName} is ${state.status}`,
  });
}
