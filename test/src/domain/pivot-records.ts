/** Builds CloudTrail records through the real door, and an Evidence that answers from them. */
import type { Artifact } from '../../../src/contracts/artifact.ts';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { linksOf } from '../../../src/domain/links.ts';
import { type PivotInput, runPivot } from '../../../src/domain/pivot-engine.ts';
import { parseRecord } from '../../../src/domain/record.ts';

let next = 0;

export type Raw = Readonly<Record<string, unknown>>;

export function record(fields: Raw): CloudTrailRecord {
  next += 1;
  const parsed = parseRecord({
    eventID: `00000000-0000-4000-8000-${String(next).padStart(12, '0')}`,
    eventTime: new Date(Date.UTC(2026, 10, 20, 22, 0, next % 3600)).toISOString(),
    eventSource: 'ec2.amazonaws.com',
    awsRegion: 'us-east-1',
    recipientAccountId: '999999999999',
    readOnly: false,
    eventType: 'AwsApiCall',
    userAgent: 'aws-cli/2.2.1',
    ...fields,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

export function user(name: string, accountId = '999999999999', key?: string, partition = 'aws'): Raw {
  return {
    type: 'IAMUser',
    arn: `arn:${partition}:iam::${accountId}:user/${name}`,
    accountId,
    userName: name.split('/').at(-1),
    ...(key ? { accessKeyId: key } : {}),
  };
}

export function session(role: string, name: string, accountId = '999999999999', key?: string): Raw {
  return {
    type: 'AssumedRole',
    arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`,
    accountId,
    ...(key ? { accessKeyId: key } : {}),
    sessionContext: {
      sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${accountId}:role/${role}`, accountId, userName: role },
    },
  };
}

export function evidenceOf(records: readonly CloudTrailRecord[]): Evidence {
  const byNode = new Map<string, CloudTrailRecord[]>();
  const add = (id: string, item: CloudTrailRecord) => byNode.set(id, [...(byNode.get(id) ?? []), item]);
  for (const item of records) {
    for (const { id } of linksOf(item).nodes) add(id, item);
    add(`event ${item.eventID}`, item);
  }
  return {
    recordsOf: ({ kind, id }: Artifact) => Promise.resolve(byNode.get(kind === 'event' ? `event ${id}` : id) ?? []),
    coverage: () => ({
      complete: true,
      accounts: ['999999999999'],
      regions: ['us-east-1'],
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-21T00:00:00Z',
      sources: [],
      badFiles: [],
      notLookedAt: [],
    }),
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: records.length, requests: 0 }),
  };
}

export function pivotOver(
  records: readonly CloudTrailRecord[],
  seed: PivotInput['seeds'][number],
  change: Partial<PivotInput> = {},
) {
  return runPivot({
    seeds: [seed],
    evidence: evidenceOf(records),
    limits: { maxDepth: 50, hubLimit: 20, maxNodes: 10_000, maxEvents: 100_000 },
    hubs: { egress: [], principals: [] },
    expandAlso: [],
    progress: () => undefined,
    signal: new AbortController().signal,
    ...change,
  });
}

export const pipelineKey = 'AKIAIOSFODNN7EXAMPLE';
export const pipelineArn = 'arn:aws:iam::999999999999:user/pipeline';
export const sharedIp = '203.0.113.99';
export const launchedIds = Array.from({ length: 10 }, (_, n) => `i-0ba42452619fc45${String(n).padStart(2, '0')}`);

/** The story of S3: one user, one key, 7 launches that make 10 instances, an address shared with a DevOps role. */
export function miningStory(devOpsCalls = 1_257): readonly CloudTrailRecord[] {
  const pipeline = user('pipeline', '999999999999', pipelineKey);
  const batches = [[0], [1], [2, 3], [4], [5, 6], [7], [8, 9]];
  const launches = batches.map((batch) =>
    record({
      eventName: 'RunInstances',
      sourceIPAddress: sharedIp,
      userIdentity: pipeline,
      requestParameters: {
        instanceType: 'p3.2xlarge',
        instancesSet: { items: [{ imageId: 'ami-0123456789abcdef0', minCount: batch.length }] },
      },
      responseElements: {
        reservationId: 'r-0123456789abcdef0',
        ownerId: '999999999999',
        instancesSet: {
          items: batch.map((n) => ({
            instanceId: launchedIds[n],
            imageId: 'ami-0123456789abcdef0',
            subnetId: 'subnet-0123456789abcdef0',
            vpcId: 'vpc-0123456789abcdef0',
            networkInterfaceSet: {
              items: [
                { networkInterfaceId: `eni-0ba42452619fc45${String(n).padStart(2, '0')}`, ownerId: '999999999999' },
              ],
            },
          })),
        },
      },
    }),
  );
  const reads = ['DescribeSubnets', 'DescribeVpcs', 'DescribeImages'].map((eventName) =>
    record({ eventName, readOnly: true, sourceIPAddress: sharedIp, userIdentity: pipeline }),
  );
  const mary = session('DevOps', 'MaryMajor', '999999999999', 'ASIAQNZGKIQY56JQ7WML');
  const devOps = Array.from({ length: devOpsCalls }, (_, n) =>
    record({
      eventName: 'DescribeInstances',
      readOnly: true,
      sourceIPAddress: sharedIp,
      userIdentity: mary,
      requestParameters: { instancesSet: { items: [{ instanceId: launchedIds[n % 10] }] } },
    }),
  );
  const guardDuty = record({
    eventName: 'DescribeInstances',
    readOnly: true,
    sourceIPAddress: 'guardduty.amazonaws.com',
    userIdentity: session('AWSServiceRoleForAmazonGuardDuty', 'GuardDutyAssumeRole'),
    requestParameters: { instancesSet: { items: [{ instanceId: launchedIds[0] }] } },
  });
  return [...launches, ...reads, ...devOps, guardDuty];
}
