/** What else goes on in the account: a week of the platform team behind the shared address, and other people and machines. */
import { uniqueId } from '../ids.ts';
import type { Instance } from '../state.ts';
import { seconds } from '../trail.ts';
import { sharedIp, workshopId } from '../world.ts';
import { type Actor, type Happening, later, paperRole, recordOf, type Stage, sessionIdentity } from './story.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
/** MaryMajor signs in twice a day. */
const sessionsPerWeek = 14;
const bastion = 'i-0f3a9c1be57d20466';

type Deed = readonly [source: string, name: string, request: Readonly<Record<string, unknown>>, write?: boolean];

const devOpsDeeds: readonly Deed[] = [
  ['ec2', 'DescribeInstances', { maxResults: 1000, instancesSet: {}, filterSet: {} }],
  ['ec2', 'DescribeInstanceStatus', { instancesSet: {}, filterSet: {}, includeAllInstances: false }],
  ['ec2', 'DescribeAddresses', { publicIpsSet: {}, filterSet: {}, allocationIdsSet: {} }],
  ['ec2', 'DescribeVolumes', { maxResults: 1000, volumeSet: {}, filterSet: {} }],
  ['ec2', 'DescribeSecurityGroups', { maxResults: 1000, securityGroupSet: {}, filterSet: {} }],
  ['monitoring', 'DescribeAlarms', { maxRecords: 100 }],
  ['monitoring', 'GetMetricData', {}],
  ['logs', 'DescribeLogGroups', { limit: 50 }],
  ['elasticloadbalancing', 'DescribeLoadBalancers', { pageSize: 400 }],
  ['s3', 'ListBuckets', { Host: 's3.amazonaws.com' }],
  ['cloudtrail', 'LookupEvents', { maxResults: 50 }],
];
/** Ordinary changes to a machine of the team's own, one in a hundred calls. */
const devOpsChanges: readonly Deed[] = [
  ['ec2', 'StartInstances', { instancesSet: { items: [{ instanceId: bastion }] } }, true],
  ['ec2', 'StopInstances', { instancesSet: { items: [{ instanceId: bastion }] }, force: false }, true],
];

function did(deed: Deed, at: Date, region: string): Happening {
  const [source, name, request, write = false] = deed;
  return { at, region, source: `${source}.amazonaws.com`, name, readOnly: !write, request };
}

/** Machines that were there before. */
function addOldMachines(stage: Stage): void {
  function machine(id: string, region: string, name: string, day: number): Instance {
    return {
      ...{ id, region, type: 't3.small', state: 'running' },
      reservationId: `r-${stage.random.hex(17)}`,
      imageId: 'ami-0d5eff06f840b45e9',
      launchTime: later(stage.now, -day * 24 * hourMs),
      availabilityZone: `${region}a`,
      ...{ subnetId: 'subnet-05203a3964447da16', vpcId: 'vpc-045be8f0854ed7f0b' },
      privateIp: `172.31.81.${stage.random.below(200) + 10}`,
      securityGroup: { id: 'sg-0030477c71f7a0206', name: 'web' },
      networkInterfaceId: `eni-${stage.random.hex(17)}`,
      macAddress: '0e:dc:85:6a:14:0b',
      profileArn: `arn:aws:iam::${workshopId}:instance-profile/WebApp`,
      clientToken: stage.random.uuid(),
      launchIndex: 0,
      tags: [{ Key: 'Name', Value: name }],
    };
  }
  stage.cast.workshop.instances.push(
    machine(bastion, 'us-east-1', 'bastion', 90),
    machine('i-0c77be3d1a2f40915', 'eu-west-1', 'web-1', 60),
  );
}

interface DevOpsSession {
  readonly actor: Actor;
  readonly from: Date;
  readonly lengthMs: number;
}

/** One sign-in: the corporate identity account assumes the role, from its own address. */
function signIn(stage: Stage, from: Date, lengthMs: number, index: number): DevOpsSession {
  const role = stage.cast.workshop.roles.get('DevOps') ?? paperRole(workshopId, 'DevOps');
  const accessKeyId = uniqueId('ASIA', workshopId, `MaryMajor/${index}`);
  const session = { accountId: workshopId, name: 'MaryMajor', accessKeyId, createdAt: from };
  const broker: Actor = {
    accountId: workshopId,
    userIdentity: {
      type: 'AWSAccount',
      principalId: `${uniqueId('AROA', '777777777777', 'identity-broker')}:broker`,
      accountId: '777777777777',
    },
    sourceIp: '192.0.2.10',
    userAgent: 'aws-sdk-java/2.29.1 Linux/6.1 OpenJDK_64-Bit_Server_VM/21',
  };
  const arn = `arn:aws:sts::${workshopId}:assumed-role/DevOps/MaryMajor`;
  stage.record(
    recordOf(stage.random, broker, {
      ...{ at: from, region: 'us-east-1', source: 'sts.amazonaws.com', name: 'AssumeRole', readOnly: true },
      request: { roleArn: role.arn, roleSessionName: 'MaryMajor', durationSeconds: 28_800 },
      response: {
        credentials: {
          accessKeyId,
          sessionToken: 'IQoJb3JpZ2luX2Vjd3Jp',
          expiration: seconds(later(from, 8 * hourMs)),
        },
        assumedRoleUser: { assumedRoleId: `${role.id}:MaryMajor`, arn },
      },
      resources: [{ accountId: workshopId, type: 'AWS::IAM::Role', ARN: role.arn }],
      more: { sharedEventID: stage.random.uuid() },
    }),
  );
  const actor: Actor = {
    accountId: workshopId,
    userIdentity: sessionIdentity(role, session),
    sourceIp: sharedIp,
    userAgent:
      'aws-cli/2.22.4 md/awscrt#0.23.0 ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.12.6 cfg/retry-mode#standard',
  };
  return { actor, from, lengthMs };
}

/** After the launches MaryMajor looks at some of the new machines too, as anybody who works there might. */
function lookAtMiners(
  stage: Stage,
  session: DevOpsSession,
  start: Date,
  miners: readonly string[],
  limit: number,
): number {
  const names = ['DescribeInstanceStatus', 'DescribeInstances', 'DescribeAddresses'];
  const looks = names.flatMap((name) => miners.slice(0, 4).map((id) => ({ name, id }))).slice(0, limit);
  looks.forEach(({ name, id }, index) => {
    const request =
      name === 'DescribeAddresses'
        ? { filterSet: { items: [{ name: 'instance-id', valueSet: { items: [{ value: id }] } }] } }
        : { instancesSet: { items: [{ instanceId: id }] }, filterSet: {} };
    const at = later(start, 20 * 60_000 + index * 40_000);
    stage.record(recordOf(stage.random, session.actor, did(['ec2', name, request], at, 'us-east-1')));
  });
  return looks.length;
}

/** Exactly `stage.backgroundEvents` calls of DevOps/MaryMajor from the shared address, over seven days. */
export function addDevOpsWeek(stage: Stage, start: Date, miners: readonly string[]): void {
  addOldMachines(stage);
  const { random, now } = stage;
  if (stage.backgroundEvents < 1) return;
  const sessions = Array.from({ length: sessionsPerWeek }, (_, index) => {
    // The last session began three hours ago and goes on.
    const newest = index === sessionsPerWeek - 1;
    const from = newest ? later(now, -3 * hourMs) : later(now, -weekMs + index * 12 * hourMs + random.below(hourMs));
    return signIn(stage, from, (newest ? 2.9 : 7.5) * hourMs, index);
  });
  const newest = sessions.at(-1);
  let left = stage.backgroundEvents;
  if (newest !== undefined) left -= lookAtMiners(stage, newest, start, miners, left);
  for (; left > 0; left -= 1) {
    const session = random.pick(sessions);
    const at = later(session.from, 60_000 + random.below(session.lengthMs - 60_000));
    const deed = random.pick(random.below(100) === 0 ? devOpsChanges : devOpsDeeds);
    // The bastion stands in us-east-1; one look in ten goes to other Regions.
    const elsewhere = deed[3] !== true && random.below(10) === 0;
    const region = elsewhere ? random.pick(['eu-west-1', 'us-west-2']) : 'us-east-1';
    stage.record(recordOf(random, session.actor, did(deed, at, region)));
  }
}

/** Calls between `oldestMs` and one hour ago. */
function addCalls(
  stage: Stage,
  actor: Actor,
  region: string,
  count: number,
  deeds: readonly Deed[],
  oldestMs = weekMs,
) {
  for (let done = 0; done < count; done += 1) {
    const at = later(stage.now, -hourMs - stage.random.below(oldestMs - hourMs));
    stage.record(recordOf(stage.random, actor, did(stage.random.pick(deeds), at, region)));
  }
}

function userActor(stage: Stage, name: string, sourceIp: string, userAgent: string): Actor {
  const user = stage.cast.workshop.users.get(name);
  const keyId = user?.keys[0]?.id;
  const userIdentity = {
    type: 'IAMUser',
    principalId: user?.id,
    arn: user?.arn,
    accountId: workshopId,
    ...(keyId === undefined ? {} : { accessKeyId: keyId }),
    userName: name,
  };
  return { accountId: workshopId, userIdentity, sourceIp, userAgent };
}

function addConsoleLogins(stage: Stage): void {
  const jane = userActor(
    stage,
    'JaneDoe',
    '198.51.100.23',
    'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  );
  for (let day = 1; day <= 6; day += 1) {
    stage.record(
      recordOf(stage.random, jane, {
        at: later(stage.now, -day * 24 * hourMs + stage.random.below(hourMs)),
        region: day % 3 === 0 ? 'eu-north-1' : 'us-east-1',
        ...{ source: 'signin.amazonaws.com', name: 'ConsoleLogin', readOnly: false, eventType: 'AwsConsoleSignIn' },
        response: { ConsoleLogin: 'Success' },
        more: {
          additionalEventData: {
            LoginTo: 'https://console.aws.amazon.com/console/home',
            MobileVersion: 'No',
            MFAIdentifier: `arn:aws:iam::${workshopId}:mfa/JaneDoe`,
            MFAUsed: 'Yes',
          },
        },
      }),
    );
  }
}

/** People, programs and AWS services that have nothing to do with the attack, in four Regions. */
export function addEverydayNoise(stage: Stage): void {
  const reporting = userActor(
    stage,
    'reporting',
    '198.51.100.40',
    'Boto3/1.35.71 md/Botocore#1.35.71 lang/python#3.11.9',
  );
  addCalls(stage, reporting, 'us-east-1', 60, [
    ['athena', 'StartQueryExecution', { workGroup: 'reports' }, true],
    ['athena', 'GetQueryExecution', {}],
    ['s3', 'ListBuckets', { Host: 's3.amazonaws.com' }],
  ]);
  const bystanderKey = stage.cast.workshop.users.get('reporting')?.keys[0];
  if (bystanderKey !== undefined) {
    bystanderKey.lastUsed = { date: later(stage.now, -hourMs), service: 'athena', region: 'us-east-1' };
  }
  const web = {
    accountId: workshopId,
    name: 'i-0c77be3d1a2f40915',
    accessKeyId: uniqueId('ASIA', workshopId, 'web-1'),
  };
  const webApp: Actor = {
    accountId: workshopId,
    userIdentity: sessionIdentity(paperRole(workshopId, 'WebApp'), {
      ...web,
      createdAt: later(stage.now, -5 * hourMs),
    }),
    sourceIp: '198.51.100.60',
    userAgent: 'amazon-ssm-agent/3.3.1345.0',
  };
  const webDeeds: readonly Deed[] = [
    ['ssm', 'UpdateInstanceInformation', { instanceId: 'i-0c77be3d1a2f40915' }, true],
    ['secretsmanager', 'DescribeSecret', { secretId: 'web/session-key' }],
  ];
  addCalls(stage, webApp, 'eu-west-1', 80, webDeeds, 5 * hourMs);
  const ci = { accountId: workshopId, name: 'GitHubActions', accessKeyId: uniqueId('ASIA', workshopId, 'github') };
  const deploy: Actor = {
    accountId: workshopId,
    userIdentity: sessionIdentity(paperRole(workshopId, 'Deploy'), { ...ci, createdAt: later(stage.now, -2 * hourMs) }),
    sourceIp: '192.0.2.140',
    userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.77.0',
  };
  const deployDeeds: readonly Deed[] = [
    ['ec2', 'DescribeVpcs', { vpcSet: {}, filterSet: {} }],
    ['lambda', 'GetFunction20150331v2', { functionName: 'thumbnails' }],
    ['lambda', 'UpdateFunctionCode20150331v2', { functionName: 'thumbnails', publish: false }, true],
  ];
  addCalls(stage, deploy, 'us-west-2', 40, deployDeeds, 2 * hourMs);
  const jane = userActor(
    stage,
    'JaneDoe',
    '198.51.100.23',
    'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  );
  addCalls(stage, jane, 'us-east-1', 30, [
    ['health', 'DescribeEventAggregates', {}],
    ['ce', 'GetCostAndUsage', {}],
  ]);
  const scaling: Actor = {
    accountId: workshopId,
    userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' },
    sourceIp: 'autoscaling.amazonaws.com',
    userAgent: 'autoscaling.amazonaws.com',
  };
  addCalls(stage, scaling, 'eu-west-1', 20, [['ec2', 'DescribeInstanceStatus', { instancesSet: {}, filterSet: {} }]]);
  addConsoleLogins(stage);
}
