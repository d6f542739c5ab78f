import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../../detections/index.ts';
import { detectorOf } from '../../../../src/domain/detection/detector.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { nothingSettled } from '../../../../src/domain/sigma/settled.ts';

const audit = 'arn:aws:iam::111122223333:role/ir/IrAudit';
const detector = detectorOf(catalogue(), {
  settings: nothingSettled,
  now: new Date('2026-11-21T10:00:00Z'),
  openFrom: 'medium',
  maxAgeHours: 24,
  counts: () => true,
  ownRoles: [audit],
  newId: () => 'id',
});

/** A call in a session named as ours. */
function call(role: string, eventName: string, eventSource: string, more: Record<string, unknown> = {}) {
  const name = role.slice(role.lastIndexOf('/') + 1);
  const parsed = parseRecord({
    eventVersion: '1.11',
    eventID: '11111111-2222-3333-4444-555555555555',
    eventTime: '2026-11-21T10:00:00Z',
    eventName,
    eventSource,
    awsRegion: 'eu-west-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-sdk-js/3',
    recipientAccountId: '111122223333',
    readOnly: true,
    ...more,
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAIOSFODNN7EXAMPLE:firebreak-audit',
      arn: `arn:aws:sts::111122223333:assumed-role/${name}/firebreak-audit`,
      accountId: '111122223333',
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      sessionContext: { sessionIssuer: { type: 'Role', arn: role, accountId: '111122223333', userName: name } },
    },
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}
const startScript = { requestParameters: { instanceId: 'i-0123456789abcdef0', attribute: 'userData' } };

describe('the reads of our own roles', () => {
  it('are matches that no case is opened for, as those of any other role are', () => {
    const own = call(audit, 'DescribeInstanceAttribute', 'ec2.amazonaws.com', startScript);
    expect(detector.look(own)).toMatchObject({ loud: false, excepted: true });
    expect(detector.heed(own, 'key').deeds).toEqual([]);

    // Of the same name in another path, in a session of the same name.
    const other = call(audit.replace('/ir/', '/'), 'DescribeInstanceAttribute', 'ec2.amazonaws.com', startScript);
    expect(detector.look(other)).toMatchObject({ loud: true, excepted: false });
    expect(detector.heed(other, 'key').deeds.map(({ rule }) => rule)).toEqual(['userdata-downloaded']);
  });

  it('are not counted for a burst either', () => {
    const limits = (role: string) => detector.heed(call(role, 'GetAccount', 'ses.amazonaws.com'), 'key').entries;
    expect(limits(audit)).toEqual([]);
    expect(limits(audit.replace('/ir/', '/'))).not.toEqual([]);
  });

  it('do not cover the taking of other roles, which CloudTrail calls a read', () => {
    const requestParameters = { roleArn: 'arn:aws:iam::111122223333:role/admin', roleSessionName: 'x' };
    const taken = call(audit, 'AssumeRole', 'sts.amazonaws.com', { requestParameters });
    expect(detector.heed(taken, 'key').entries.map(({ correlation }) => correlation)).toContain('roles-taken-in-burst');
  });

  it('do not cover what changes something, nor severe rules', () => {
    const write = call(audit, 'CreateUser', 'iam.amazonaws.com', { readOnly: false });
    expect(detector.look(write)).toMatchObject({ loud: true });

    const severe = call(audit, 'DeactivateMFADevice', 'iam.amazonaws.com');
    expect(detector.heed(severe, 'key').deeds).not.toEqual([]);
  });
});
