/** The rules against logs and tests that others made. Skipped where that folder is absent. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../detections/index.ts';
import type { CloudTrailRecord } from '../../src/contracts/cloudtrail.ts';
import { parseRecord } from '../../src/domain/record.ts';
import { type Match, pickRules, runHunt } from '../../src/domain/sigma/hunt.ts';
import { parseRules } from '../../src/domain/sigma/parse.ts';
import { ruleSet } from '../../src/domain/sigma/rule-set.ts';
import { type EventRule, type Level, levels } from '../../src/domain/sigma/tree.ts';
import { readRuleFiles } from '../../src/evidence/rule-files.ts';
import { root } from '../fakes/folder.ts';

const data = join(root, '..', 'shared', 'data');
const stratus = join(data, 'cloudtrail', 'stratus-red-team');
const permiso = join(data, 'cloudtrail', 'permiso-console-sessions');
const trailDiscover = join(data, 'cloudtrail', 'traildiscover-samples');
const panther = join(data, 'detection-tests', 'panther', 'aws.cloudtrail.tests.ndjson');

function json<Value>(...path: readonly string[]): Value {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as Value;
}

async function hunted(raw: readonly unknown[]): Promise<readonly Match[]> {
  const records = raw.map(parseRecord).flatMap((parsed) => (parsed.ok ? [parsed.record] : []));
  expect(records).toHaveLength(raw.length);
  const picked = pickRules('all', catalogue());
  const context = { signal: new AbortController().signal, progress: () => undefined };
  return (await runHunt(stream(records), picked, context)).matches;
}

async function* stream(records: readonly CloudTrailRecord[]): AsyncGenerator<CloudTrailRecord> {
  yield* records;
}

const isAbove = (level: Level, least: Level): boolean => levels.indexOf(level) >= levels.indexOf(least);

interface PantherTest {
  readonly rule_id: string;
  readonly test: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly expected_match: boolean;
  readonly has_mocks: boolean;
  readonly raw_cloudtrail_shape: boolean;
}

const pantherTests = existsSync(panther)
  ? readFileSync(panther, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PantherTest)
  : [];

describe.skipIf(!existsSync(data))('the rules of SigmaHQ (skipped without ../shared/data)', () => {
  it('match exactly what an independent evaluation matched', async () => {
    interface Truth {
      readonly datasets: readonly {
        readonly matches: Readonly<Record<string, { eventIDs?: string[]; tests?: string[] }>>;
      }[];
    }
    const { datasets } = json<Truth>(data, 'ground_truth', 'sigma_matches.json');
    const book = parseRules(await readRuleFiles(join(data, 'sigma', 'rules')));
    const set = ruleSet(book.rules.filter((rule): rule is EventRule => rule.kind === 'event'));
    const files = readdirSync(stratus).filter((file) => file.endsWith('.json'));
    const seen = new Map<string, string[]>(set.rules.map((rule) => [rule.name, []]));
    for (const event of files.flatMap((file) => json<Record<string, unknown>[]>(stratus, file))) {
      for (const rule of set.match(event)) seen.get(rule.name)?.push(String(event.eventID));
    }
    const tests = new Map<string, string[]>();
    for (const test of pantherTests) {
      for (const { name } of set.match(test.event))
        tests.set(name, [...(tests.get(name) ?? []), `${test.rule_id} :: ${test.test}`]);
    }

    expect(book).toMatchObject({ unsupported: [] });
    expect(set.rules).toHaveLength(34);
    for (const [name, { eventIDs = [] }] of Object.entries(datasets[0]?.matches ?? {})) {
      expect([name, ...(seen.get(name) ?? []).sort()]).toEqual([name, ...eventIDs.sort()]);
    }
    const wanted = Object.entries(datasets[1]?.matches ?? {}).map(([name, found]) => [
      name,
      [...(found.tests ?? [])].sort(),
    ]);
    expect([...tests].map(([name, found]) => [name, found.sort()]).sort()).toEqual(wanted.sort());
  });

  it('are reported where they are written in the old way', async () => {
    const book = parseRules(await readRuleFiles(join(data, 'sigma', 'unsupported')));

    expect(book.rules).toEqual([]);
    expect(book.unsupported.map(({ rule }) => rule).sort()).toEqual([
      'aws_ec2_download_userdata.yml',
      'aws_enum_listing.yml',
      'aws_enum_storage.yml',
      'aws_macic_evasion.yml',
    ]);
    for (const { reason } of book.unsupported) expect(reason).toMatch(/legacy/);
  });
});

const labels = existsSync(stratus)
  ? readFileSync(join(stratus, 'LABELS.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
      .map(([file = '', , , tactics = '']) => [file, tactics.split('; ')] as const)
  : [];

describe.skipIf(labels.length === 0)('our catalogue (skipped without ../shared/data)', () => {
  it.each(labels)('finds the attack in %s, under %j', async (file, tactics) => {
    const matches = await hunted(json<unknown[]>(stratus, file));

    const telling = matches.filter(({ rule }) => isAbove(rule.level, 'medium') && !/^role-|tool-used$/.test(rule.name));
    expect(telling.flatMap(({ rule }) => rule.tactic)).toEqual(
      expect.arrayContaining([expect.toBeOneOf([...tactics])]),
    );
  });

  it('raises nothing above low for the reading calls of people in the console, and grades their writes', async () => {
    const reads = /^(Get|List|Describe|Lookup|Search|Head)/;
    const graded = new Map<Level, number>();
    for (const session of readdirSync(permiso)) {
      const events = json<Record<string, unknown>[]>(permiso, session, 'InputEvents.json');
      for (const { rule, eventName, burst } of await hunted(events)) {
        if (burst === undefined && reads.test(eventName) && eventName !== 'GetSigninToken') {
          expect([rule.name, eventName, isAbove(rule.level, 'medium')]).toEqual([rule.name, eventName, false]);
        }
        if (!reads.test(eventName)) graded.set(rule.level, (graded.get(rule.level) ?? 0) + 1);
      }
    }
    expect(graded.get('critical') ?? 0).toBe(0);
    expect(graded.get('high') ?? 0).toBeLessThan((graded.get('low') ?? 0) / 2);
  });

  it('recognises nine in ten of the calls that attackers are known to use', async () => {
    const files = readdirSync(trailDiscover, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.cloudtrail'),
    );
    const samples = files
      .map((file) => [file, [json<unknown[]>(trailDiscover, file)].flat()] as const)
      .filter(([, events]) => events.length > 0);
    const missed: string[] = [];
    for (const [file, events] of samples) if ((await hunted(events)).length === 0) missed.push(file);

    expect(samples.length).toBeGreaterThan(150);
    expect(missed.length, missed.join(', ')).toBeLessThan(samples.length / 10);
  });

  it('agrees with nine in ten of the tests of another catalogue, about behaviour that both know', () => {
    const rules = catalogue().rules.filter((rule): rule is EventRule => rule.kind === 'event');
    const set = ruleSet(rules);
    for (const name of Object.values(claims).flat()) expect(rules.map((rule) => rule.name)).toContain(name);
    const asked = pantherTests.filter((test) => test.raw_cloudtrail_shape && !test.has_mocks && claims[test.rule_id]);
    const wrong = asked.filter((test) => {
      const found = set.match(test.event).some((rule) => claims[test.rule_id]?.includes(rule.name));
      return found !== test.expected_match;
    });

    expect(asked.length).toBeGreaterThan(120);
    expect(wrong.length / asked.length, wrong.map((test) => `${test.rule_id}: ${test.test}`).join('\n')).toBeLessThan(
      0.1,
    );
  });
});

/** Rules of theirs and of ours about the same behaviour. */
const claims: Readonly<Record<string, readonly string[]>> = {
  'AWS.Lambda.UpdateFunctionConfiguration': ['lambda-layers-changed'],
  'AWS.Potential.Backdoor.Lambda': ['lambda-permission-added', 'lambda-function-open-to-all'],
  'AWS.Bedrock.DeleteModelInvocationLoggingConfiguration': ['bedrock-logging-deleted'],
  'AWS.CloudTrail.Account.Discovery': ['account-contacts-read'],
  'AWS.CloudTrail.AttemptToLeaveOrg': ['organization-leave-attempted', 'organization-left'],
  'AWS.CloudTrail.EventSelectorsDisabled': ['cloudtrail-management-events-off'],
  'AWS.CloudTrail.LoginProfileCreatedOrModified': ['iam-login-profile-created', 'iam-login-profile-updated-for-other'],
  'AWS.CloudTrail.SES.CheckSESSendingEnabled': ['mail-limits-looked-at'],
  'AWS.CloudTrail.Stopped': ['cloudtrail-logging-stopped'],
  'AWS.ConfigService.DisabledDeleted': ['config-recording-stopped'],
  'AWS.Console.GetSigninToken.Abuse': ['signin-token-made'],
  'AWS.Console.RootLogin': ['console-root-login'],
  'AWS.Console.RootLoginFailed': ['console-root-login-failed'],
  'AWS.CloudTrail.DNSLogsDeleted': ['dns-logs-deleted'],
  'AWS.EC2.DownloadInstanceUserData': ['userdata-downloaded'],
  'AWS.EC2.GatewayModified': ['network-route-changed'],
  'AWS.EC2.ManualSecurityGroupChange': ['security-group-ingress-added', 'security-group-opened-to-world'],
  'AWS.EC2.ManyPasswordReadAttempts': ['windows-password-requested'],
  'AWS.EC2.MultiInstanceConnect': ['ssh-key-pushed'],
  'AWS.EC2.NetworkACLModified': ['network-acl-changed'],
  'AWS.EC2.RouteTableModified': ['network-route-changed'],
  'AWS.EC2.Startup.Script.Change': ['userdata-changed'],
  'AWS.EC2.Traffic.Mirroring': ['traffic-mirrored'],
  'AWS.IAM.AttachAdminRolePolicy': ['iam-admin-policy-attached'],
  'AWS.IAM.AttachAdminUserPolicy': ['iam-admin-policy-attached'],
  'AWS.IAM.BackdoorRole': ['iam-role-trust-opened'],
  'AWS.IAM.Group.Read.Only.Events': ['iam-listed'],
  'AWS.IAM.PolicyModified': ['iam-policy-detached'],
  'AWS.LAMBDA.CRUD': ['function-deleted'],
  'AWS.Macie.Evasion': ['macie-weakened'],
  'AWS.Lambda.UpdateFunctionCode': ['lambda-code-changed'],
  'AWS.RDS.ClusterFailover': ['database-failed-over'],
  'AWS.RDS.IAMRoleAdded': ['rds-role-added'],
  'AWS.RDS.InstanceMadePublic': ['rds-made-public'],
  'AWS.RDS.ManualSnapshotCreated': ['snapshot-made'],
  'AWS.RDS.MasterPasswordUpdated': ['rds-master-password-changed'],
  'AWS.RDS.PublicRestore': ['rds-restored-public'],
  'AWS.RDS.SecurityGroupIngressAuthorized': ['rds-security-group-opened'],
  'AWS.RDS.SnapshotCopiedCrossRegion': ['database-snapshot-copied'],
  'AWS.RDS.SnapshotShared': ['database-snapshot-shared'],
  'AWS.CloudTrail.ResourceMadePublic': ['bucket-opened-to-world'],
  'AWS.CloudTrail.RootAccessKeyCreated': ['root-access-key-created'],
  'AWS.Root.Activity': ['root-changes', 'console-root-login'],
  'AWS.CloudTrail.RootPasswordChanged': ['root-sign-in-changed'],
  'AWS.S3.BucketPolicyModified': ['bucket-policy-changed'],
  'AWS.S3.CopyObjectWithClientSideEncryption': ['object-encrypted-by-stranger'],
  'AWS.S3.DeleteBucketReplication': ['bucket-replication-deleted'],
  'AWS.S3.DeletePublicAccessBlock': ['bucket-guard-removed'],
  'AWS.S3.DisableBucketLogging': ['bucket-logging-disabled'],
  'AWS.Suspicious.SAML.Activity': ['iam-identity-provider-changed'],
  'AWS.CloudTrail.SnapshotMadePublic': ['snapshot-shared'],
  'AWS.STS.GetCallerIdentity.TruffleHog': ['credential-scanner-used'],
  'AWS.User.Login.Profile.Modified': ['iam-login-profile-updated-for-other'],
  'AWS.IAM.CredentialsUpdated': ['iam-password-changed'],
  'AWS.VPCFlow.LogsDeleted': ['vpc-flow-logs-deleted'],
};
