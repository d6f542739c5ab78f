/** What may be kept through a containment, whatever the logs and whoever asks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { iamActionsOf } from '../../../src/domain/iam-actions.ts';
import { covers, isInFloor, isSuspect, learn } from '../../../src/domain/keep-list.ts';

const before = '2026-11-20T22:00:00Z';

function record(eventSource: string, eventName: string, more: Partial<CloudTrailRecord> = {}): CloudTrailRecord {
  return {
    eventID: 'e1',
    eventTime: '2026-11-20T20:00:00Z',
    eventName,
    eventSource,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'Boto3/1.34',
    userIdentity: {},
    ...more,
  };
}

describe('the IAM actions behind an event', () => {
  it.each([
    ['lambda.amazonaws.com', 'UpdateFunctionCode20150331v2', ['lambda:UpdateFunctionCode']],
    ['lambda.amazonaws.com', 'Invoke', ['lambda:InvokeFunction']],
    ['cloudfront.amazonaws.com', 'CreateDistribution2020_05_31', ['cloudfront:CreateDistribution']],
    ['s3.amazonaws.com', 'ListBuckets', ['s3:ListAllMyBuckets']],
    ['s3.amazonaws.com', 'GetBucketEncryption', ['s3:GetEncryptionConfiguration']],
    ['s3.amazonaws.com', 'CopyObject', ['s3:GetObject', 's3:PutObject']],
    ['s3.amazonaws.com', 'GetBucketPolicy', ['s3:GetBucketPolicy']],
    ['monitoring.amazonaws.com', 'PutMetricData', ['cloudwatch:PutMetricData']],
    ['email.amazonaws.com', 'SendEmail', ['ses:SendEmail']],
    ['kms.amazonaws.com', 'ReEncrypt', ['kms:ReEncryptFrom', 'kms:ReEncryptTo']],
    ['apigateway.amazonaws.com', 'UpdateRestApi', ['apigateway:PATCH']],
    ['ec2.amazonaws.com', 'DescribeInstances', ['ec2:DescribeInstances']],
    ['signin.amazonaws.com', 'ConsoleLogin', []],
  ])('%s %s needs %j', (eventSource, eventName, actions) => {
    expect(iamActionsOf({ eventSource, eventName })).toEqual({ actions });
  });

  it.each([
    ['', 'DescribeInstances'],
    ['ec2.amazonaws.com', ''],
    ['ec2.amazonaws.com', '*'],
    ['evil", "NotAction": ["*', 'DescribeInstances'],
    ['ec2.amazonaws.com', 'constructor'],
  ])('names what it cannot name: "%s" "%s"', (eventSource, eventName) => {
    expect(iamActionsOf({ eventSource, eventName })).toHaveProperty('unknown');
  });
});

describe('the list', () => {
  it.each([
    ...['iam:GetUser', 'iam:*', 'sts:AssumeRole', 'organizations:LeaveOrganization', 'account:CloseAccount'],
    ...['kms:ScheduleKeyDeletion', 'kms:*', 'kms:Sched*', 'kms:?reateGrant', 'kms:putkeypolicy'],
    ...['cloudtrail:StopLogging', 'cloudtrail:*', 'cloudtrail:G*', 'guardduty:DeleteDetector', 'config:Put*'],
    ...['logs:DeleteLogGroup', 'logs:*', 'logs:D*', 'ec2:*', 'ec2:DeleteFlow*', 'sso:CreateAccountAssignment'],
  ])('never holds %s', (entry) => {
    expect(isInFloor(entry)).toBe(true);
  });

  it.each([
    'kms:Decrypt',
    'kms:GenerateDataKey',
    'logs:PutLogEvents',
    'cloudtrail:LookupEvents',
    'ec2:Describe*',
    's3:*',
  ])('may hold %s', (entry) => {
    expect(isInFloor(entry)).toBe(false);
  });

  it('learns from before the incident, from what succeeded, and from nobody suspect', () => {
    const records = [
      record('ec2.amazonaws.com', 'DescribeInstances'),
      record('ec2.amazonaws.com', 'DescribeVolumes', { eventTime: before }),
      record('ec2.amazonaws.com', 'DescribeImages', { errorCode: 'Client.UnauthorizedOperation' }),
      record('ec2.amazonaws.com', 'DescribeVpcs', { sourceIPAddress: '203.0.113.9' }),
      record('ec2.amazonaws.com', 'DescribeSubnets', { userAgent: 'AWS-CLI/2.22 Kali' }),
      record('iam.amazonaws.com', 'ListUsers'),
      record('odd', 'Thing'),
    ];

    const learned = learn(records, [], { before, without: ['203.0.113.0/24', 'kali'], keep: [] });

    expect(learned).toEqual({
      actions: ['ec2:DescribeInstances'],
      floor: ['iam:ListUsers'],
      unnamed: ['odd:Thing'],
      unlisted: [],
    });
  });

  it("takes from IAM's report what was last used before, and not what the log knows from the suspect only", () => {
    const at = (name: string, lastUsed: string) => ({ name, lastUsed });
    const old = '2026-01-01T00:00:00.000Z';
    const actions = [at('DescribeRegions', old), at('RunInstances', old), at('StopInstances', '2026-11-20T23:00:00Z')];
    const uses = [
      { service: 'ec2', lastUsed: old, actions },
      { service: 'sqs', lastUsed: old, actions: [] },
      { service: 'iam', lastUsed: old, actions: [at('CreateUser', old)] },
    ];
    const theirs = record('ec2.amazonaws.com', 'RunInstances', { sourceIPAddress: '203.0.113.9' });

    const learned = learn([theirs], uses, { before, without: ['203.0.113.9'], keep: [] });

    expect(learned).toMatchObject({ actions: ['ec2:DescribeRegions'], floor: ['iam:CreateUser'], unlisted: ['sqs'] });
  });

  it('is not longer for what a wildcard that was asked for covers', () => {
    const records = [record('ec2.amazonaws.com', 'DescribeInstances'), record('ec2.amazonaws.com', 'RunInstances')];

    expect(learn(records, [], { before, without: [], keep: ['ec2:Describe*'] }).actions).toEqual([
      'ec2:Describe*',
      'ec2:RunInstances',
    ]);
  });

  it('holds nothing of the floor and nothing of the suspect, whatever the records say', () => {
    const sources = ['ec2', 'iam', 'sts', 'kms', 'logs', 'cloudtrail', 's3', 'monitoring', 'x"}'].map(
      (name) => `${name}.amazonaws.com`,
    );
    const names = ['GetObject', 'CreateGrant', 'StopLogging', 'DeleteLogGroup', 'AssumeRole', 'PutMetricData', '*', ''];
    const any = fc.record({
      source: fc.constantFrom(...sources),
      name: fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 20 })),
      isTheirs: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (happened) => {
        const records = happened.map(({ source, name, isTheirs }) =>
          record(source, name, isTheirs ? { sourceIPAddress: '203.0.113.9' } : {}),
        );
        const learned = learn(records, [], { before, without: ['203.0.113.9'], keep: [] });
        const own = new Set(
          records
            .filter((one) => !isSuspect(one, ['203.0.113.9']))
            .flatMap((one) => {
              const needed = iamActionsOf(one);
              return 'actions' in needed ? needed.actions : [];
            }),
        );
        for (const action of learned.actions) {
          expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z0-9]+$/);
          expect(isInFloor(action)).toBe(false);
          expect(own.has(action)).toBe(true);
        }
      }),
    );
  });

  it('compares without case, and takes only * and ? for more than themselves', () => {
    expect(covers('ec2:describe*', 'ec2:DescribeInstances')).toBe(true);
    expect(covers('ec2:Describe?', 'ec2:DescribeVpcs')).toBe(false);
    expect(covers('ec2:(.+)', 'ec2:RunInstances')).toBe(false);
  });

  it('knows a suspect by address, by range in both families, and by a part of his agent', () => {
    const at = (sourceIPAddress: string, userAgent = 'Boto3') => ({ sourceIPAddress, userAgent });
    expect(isSuspect(at('203.0.113.9'), ['203.0.113.9'])).toBe(true);
    expect(isSuspect(at('203.0.113.99'), ['203.0.113.9'])).toBe(false);
    expect(isSuspect(at('2001:db8::1'), ['2001:db8::/32'])).toBe(true);
    expect(isSuspect(at('cloudformation.amazonaws.com'), ['203.0.113.0/24'])).toBe(false);
    expect(isSuspect(at('198.51.100.1', 'aws-cli/2 md/Kali'), ['KALI'])).toBe(true);
  });
});
