import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { creationsOf } from '#src/domain/creation.ts';
import { tagSetters } from '#src/domain/dossier/tags.ts';
import { rightChangesOf } from '#src/domain/dossier/who.ts';
import { parseRecord } from '#src/domain/record.ts';

const account = '111122223333';

/** A call of IAM by `by`, as CloudTrail has it. */
function call(by: object, eventName: string, request: object | null, more: object = {}): CloudTrailRecord {
  const parsed = parseRecord({
    eventID: `${eventName}-${JSON.stringify(request)}`,
    eventTime: '2026-11-20T10:00:00Z',
    eventName,
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-gov-west-1',
    recipientAccountId: account,
    sourceIPAddress: '203.0.113.9',
    userAgent: 'aws-cli/2',
    readOnly: false,
    userIdentity: by,
    requestParameters: request,
    responseElements: null,
    ...more,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

const aliceArn = `arn:aws-us-gov:iam::${account}:user/eng/alice`;
const alice = {
  type: 'IAMUser',
  principalId: 'AIDAALICE2222222222Z',
  arn: aliceArn,
  accountId: account,
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  userName: 'alice',
};
const root = { type: 'Root', principalId: account, arn: `arn:aws-us-gov:iam::${account}:root`, accountId: account };

function namesOf(identity: string, records: readonly CloudTrailRecord[]): readonly string[] {
  return rightChangesOf(identity, records).map(({ eventName }) => eventName);
}

describe('changes of the rights and credentials of an identity', () => {
  it('has those that a user makes to himself, as whoever holds his key does', () => {
    const own = [
      call(alice, 'AttachUserPolicy', {
        userName: 'alice',
        policyArn: 'arn:aws-us-gov:iam::aws:policy/AdministratorAccess',
      }),
      call(alice, 'PutUserPolicy', { userName: 'ALICE', policyName: 'x', policyDocument: '{}' }),
      call(alice, 'CreateAccessKey', { userName: 'alice' }),
      call(alice, 'UpdateLoginProfile', { userName: 'alice' }),
      call(alice, 'EnableMFADevice', { userName: 'alice', serialNumber: `arn:aws-us-gov:iam::${account}:mfa/other` }),
    ];

    expect(namesOf(aliceArn, own)).toEqual(own.map(({ eventName }) => eventName));
  });

  it('has those of calls that name nobody, and so mean the caller', () => {
    expect(namesOf(aliceArn, [call(alice, 'CreateAccessKey', null), call(alice, 'ChangePassword', null)])).toEqual([
      'CreateAccessKey',
      'ChangePassword',
    ]);
    expect(namesOf(root.arn, [call(root, 'CreateAccessKey', null)])).toEqual(['CreateAccessKey']);
  });

  it('has none that the user makes to others, that failed, or that gives nobody anything', () => {
    const others = [
      call(alice, 'CreateAccessKey', { userName: 'bob' }),
      call(alice, 'PutRolePolicy', { roleName: 'alice', policyName: 'x', policyDocument: '{}' }),
      call(alice, 'CreatePolicy', { policyName: 'alice', policyDocument: '{}' }),
      call(alice, 'CreateVirtualMFADevice', { virtualMFADeviceName: 'alice' }),
      call(alice, 'AttachUserPolicy', { userName: 'alice' }, { errorCode: 'AccessDenied' }),
    ];

    expect(namesOf(aliceArn, others)).toEqual([]);
  });

  it('has none that a session of a role makes to others, and those that it makes to its own role', () => {
    const role = `arn:aws-us-gov:iam::${account}:role/deploy`;
    const session = {
      type: 'AssumedRole',
      principalId: 'AROADEPLOY2222222222:x1',
      arn: `arn:aws-us-gov:sts::${account}:assumed-role/deploy/x1`,
      accountId: account,
      sessionContext: { sessionIssuer: { type: 'Role', arn: role, accountId: account, userName: 'deploy' } },
    };
    const calls = [
      call(session, 'UpdateAssumeRolePolicy', { roleName: 'legacy', policyDocument: '{}' }),
      call(session, 'CreateAccessKey', { userName: 'bob' }),
      call(session, 'PutRolePolicy', { roleName: 'deploy', policyName: 'x', policyDocument: '{}' }),
    ];

    expect(namesOf(role, calls)).toEqual(['PutRolePolicy']);
    expect(creationsOf(role, [...calls, call(session, 'CreateUser', { userName: 'eve' })])).toEqual([]);
    const tagging = { userName: 'bob', tags: [{ key: 'owner', value: 'build-team' }] };
    expect(tagSetters(role, [call(session, 'TagUser', tagging)]).size).toBe(0);
  });
});
