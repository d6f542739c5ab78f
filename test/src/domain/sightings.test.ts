import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { techniques } from '../../../detections/techniques.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { indexTechniques, outcomeOf, sightingsOf } from '../../../src/domain/sightings.ts';
import { record, session, user } from './pivot-records.ts';

const find = indexTechniques(techniques);
const stratus = fileURLToPath(new URL('../../../../shared/data/cloudtrail/stratus-red-team', import.meta.url));

function says(eventName: string, service: string, fields: Record<string, unknown> = {}) {
  return find(
    record({
      eventName,
      eventSource: `${service}.amazonaws.com`,
      sourceIPAddress: '198.51.100.1',
      userIdentity: user('a'),
      ...fields,
    }),
  );
}

describe('the technique table', () => {
  it('has well-formed ids, known tactics and a sentence in every row', () => {
    const tactics = new Set([
      'Initial Access',
      'Execution',
      'Persistence',
      'Privilege Escalation',
      'Defense Evasion',
      'Credential Access',
      'Discovery',
      'Lateral Movement',
      'Collection',
      'Exfiltration',
      'Impact',
      'Resource Development',
    ]);
    for (const row of techniques) {
      expect(
        row.technique.every((id) => /^T\d{4}(\.\d{3})?$/.test(id)),
        row.event,
      ).toBe(true);
      expect(
        row.tactic.every((tactic) => tactics.has(tactic)),
        row.event,
      ).toBe(true);
      expect(row.says).toMatch(/^[a-z].{5,}[^.]$/);
      expect(row.event).not.toMatch(/\d{8}/);
    }
  });

  it('has one row per call, but for rows that are narrowed', () => {
    const keys = techniques.flatMap((row) => row.sources.map((source) => `${source} ${row.event} ${row.only ?? ''}`));

    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  it.each([
    [
      'iam',
      'CreateUser DeleteUser CreateRole DeleteRole AttachRolePolicy DetachRolePolicy CreateAccessKey DeleteAccessKey CreateLoginProfile UpdateLoginProfile AttachUserPolicy PutUserPolicy PutGroupPolicy CreateGroup PutRolePolicy CreatePolicyVersion UpdateAssumeRolePolicy',
    ],
    [
      'ec2',
      'RunInstances ReplaceIamInstanceProfileAssociation AssociateIamInstanceProfile DeleteFlowLogs DeleteVpc GetPasswordData ModifyImageAttribute CreateKeyPair AuthorizeSecurityGroupIngress TerminateInstances DescribeInstances',
    ],
    ['sts', 'GetSessionToken AssumeRole GetFederationToken GetCallerIdentity'],
    ['signin', 'ConsoleLogin'],
    ['organizations', 'CreateAccount LeaveOrganization'],
    ['ecs', 'RegisterTaskDefinition RunTask CreateService'],
    ['servicequotas', 'RequestServiceQuotaIncrease'],
    ['sagemaker', 'CreateNotebookInstance'],
    ['guardduty', 'DeleteDetector'],
    ['ec2-instance-connect', 'SendSSHPublicKey SendSerialConsoleSSHPublicKey'],
    ['ssm', 'SendCommand StartSession'],
    ['rolesanywhere', 'CreateTrustAnchor'],
    ['cloudtrail', 'DeleteTrail PutEventSelectors StopLogging LookupEvents'],
    ['secretsmanager', 'GetSecretValue ListSecrets'],
    ['ecr', 'GetAuthorizationToken'],
    ['lambda', 'UpdateFunctionConfiguration20150331v2'],
    ['s3', 'ListBuckets GetObject DeleteBucket'],
  ])('knows the calls of the seeds in %s', (service, names) => {
    for (const name of names.split(' ')) expect(says(name, service)?.technique, name).toBeDefined();
  });

  it('matches dated names by their pattern, and no other service by a name alone', () => {
    expect(says('UpdateFunctionCode20150331v2', 'lambda')?.says).toBe('changed what a function runs');
    expect(says('CreateFunction20150331', 'lambda')?.says).toBe('created a function');
    expect(says('InvokeModelWithResponseStream', 'bedrock')?.technique).toEqual(['T1496.004']);
    expect(says('CreateUser', 'transfer')).toBeUndefined();
  });

  it('tells failed, root and other sign-ins apart', () => {
    const failed = { errorMessage: 'Failed authentication', responseElements: { ConsoleLogin: 'Failure' } };
    const root = { userIdentity: { type: 'Root', arn: 'arn:aws:iam::999999999999:root', accountId: '999999999999' } };

    expect(says('ConsoleLogin', 'signin', failed)?.technique).toEqual(['T1110']);
    expect(says('ConsoleLogin', 'signin', { ...root, ...failed })?.technique).toEqual(['T1110']);
    expect(says('ConsoleLogin', 'signin', root)?.weight).toBe(5);
    expect(says('ConsoleLogin', 'signin', { responseElements: { ConsoleLogin: 'Success' } })?.weight).toBe(2);
  });
});

describe('sightings', () => {
  it('say who, from where, and how it ended', () => {
    const denied = record({
      eventName: 'StopLogging',
      eventSource: 'cloudtrail.amazonaws.com',
      sourceIPAddress: '198.51.100.1',
      userIdentity: session('Ops', 'x'),
      errorCode: 'AccessDenied',
    });
    const [ranked] = sightingsOf([denied, record({ eventName: 'Nothing', userIdentity: user('a') })], techniques);

    expect(ranked?.sighting).toEqual({
      eventId: denied.eventID,
      eventTime: denied.eventTime,
      eventName: 'StopLogging',
      eventSource: 'cloudtrail.amazonaws.com',
      principal: 'arn:aws:sts::999999999999:assumed-role/Ops/x',
      sourceIp: '198.51.100.1',
      region: 'us-east-1',
      outcome: 'denied',
      errorCode: 'AccessDenied',
      technique: ['T1562.008'],
      tactic: ['Defense Evasion'],
      says: 'switched the audit log off',
    });
  });

  it.each([
    ['Client.UnauthorizedOperation', 'denied'],
    ['AccessDeniedException', 'denied'],
    ['Client.DryRunOperation', 'failed'],
    ['VcpuLimitExceeded', 'failed'],
  ])('takes %s for %s', (errorCode, outcome) => {
    expect(outcomeOf(record({ eventName: 'RunInstances', errorCode, userIdentity: user('a') }))).toBe(outcome);
  });
});

describe.skipIf(!existsSync(stratus))('stratus red team (skipped where the shared data is absent)', () => {
  const files = existsSync(stratus) ? readdirSync(stratus).filter((name) => name.endsWith('.json')) : [];

  it.each(files)('is seen in %s', (name) => {
    const values = JSON.parse(readFileSync(`${stratus}/${name}`, 'utf8')) as unknown[];
    const records = values.flatMap((value) => {
      const parsed = parseRecord(value);
      return parsed.ok ? [parsed.record] : [];
    });

    expect(sightingsOf(records, techniques).filter(({ weight }) => weight > 1).length).toBeGreaterThan(0);
  });
});
