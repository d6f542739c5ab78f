/**
 * The story: somebody uses the key of user `pipeline` to launch ten machines that mine, from an address that the
 * DevOps role's MaryMajor uses all week. Four of the ten have findings. Modelled on AWS's crypto-mining playbook;
 * instance ids are valid ones of their own, and the user data does nothing.
 */
import { createHash } from 'node:crypto';
import { asTrail, reservationShape } from '../ec2-shape.ts';
import type { Instance, User } from '../state.ts';
import { pipelineKeyId, sharedIp, workshopId } from '../world.ts';
import { addDevOpsWeek, addEverydayNoise } from './background.ts';
import {
  type Actor,
  type Happening,
  later,
  paperRole,
  recordOf,
  type Stage,
  type Story,
  sessionIdentity,
} from './story.ts';

const attackMinutesAgo = 40;
export const minerImage = 'ami-0c2b8ca1dad447f8a';
export const minerInstances = [
  'i-006f831100a7fb22c',
  'i-020cdc8fc46738a53',
  'i-01e9260c995c50b72',
  'i-0fcf46a649a2fd75e',
  'i-00e5e82bf2ddd15dc',
  'i-0e3863d05f8a64a2b',
  'i-088b5cd4c3279aabb',
  'i-0f7446ae1c25e35a6',
  'i-01322c68018965d77',
  'i-0605c455cdd4b8420',
] as const;
/** The four that GuardDuty noticed: two launched alone, two of the launch of four. */
export const noticedInstances = [minerInstances[0], minerInstances[2], minerInstances[6], minerInstances[8]] as const;
export const minerDomain = 'xmr.pool.minergate.example';

const region = 'us-east-1';
const vpcId = 'vpc-0f7b220f37f9c9e31';
const securityGroup = { id: 'sg-050c333b86822c1f1', name: 'default' };
/** Subnet, zone, address block and number of machines of each of the seven launches. */
const launches = [
  ['subnet-0f6cbe2de726b03fc', 'us-east-1a', '192.168.2', 1],
  ['subnet-011e678c69ba872ee', 'us-east-1b', '192.168.1', 1],
  ['subnet-01153e6dcc3d38d1d', 'us-east-1b', '192.168.3', 1],
  ['subnet-05da8fc8034c190a1', 'us-east-1a', '192.168.0', 1],
  ['subnet-0f6cbe2de726b03fc', 'us-east-1a', '192.168.2', 1],
  ['subnet-011e678c69ba872ee', 'us-east-1b', '192.168.1', 4],
  ['subnet-01153e6dcc3d38d1d', 'us-east-1b', '192.168.3', 1],
] as const;

/** The playbook's text, shortened. The names are of the reserved `.example` domain and resolve nowhere. */
export const minerUserData = `Content-Type: multipart/mixed; boundary="//"
MIME-Version: 1.0

--//
Content-Type: text/cloud-config; charset="us-ascii"
Content-Disposition: attachment; filename="cloud-config.txt"

#cloud-config
cloud_final_modules:
- [scripts-user, always]

--//
Content-Type: text/x-shellscript; charset="us-ascii"
Content-Disposition: attachment; filename="userdata.txt"

#!/bin/bash
mkdir -p /usr/cryptokit
echo "#!/bin/bash" >> /usr/cryptokit/persist.sh
echo "dig donate.v2.xmrig.example" >> /usr/cryptokit/persist.sh
echo "dig ${minerDomain}" >> /usr/cryptokit/persist.sh
echo "dig pool.minergate.example" >> /usr/cryptokit/persist.sh
echo "*/15 * * * * /usr/cryptokit/persist.sh" >> /var/spool/cron/root
--//
`;

const cli = 'aws-cli/2.2.1 Python/3.8.8 Darwin/20.5.0 exe/x86_64 prompt/off command/ec2.';

function agent(call: string): string {
  return cli + call.replace(/[A-Z]/g, (letter, at: number) => (at > 0 ? '-' : '') + letter.toLowerCase());
}

function attackerOf(user: User): Actor {
  const identity = {
    type: 'IAMUser',
    principalId: user.id,
    arn: user.arn,
    accountId: workshopId,
    accessKeyId: pipelineKeyId,
    userName: user.name,
  };
  return { accountId: workshopId, userIdentity: identity, sourceIp: sharedIp, userAgent: cli };
}

function ec2Call(at: Date, name: string, rest: Partial<Happening> = {}): Happening {
  return { at, region, source: 'ec2.amazonaws.com', name, readOnly: true, userAgent: agent(name), ...rest };
}

function look(stage: Stage, actor: Actor, start: Date): void {
  const filter = { filterSet: { items: [{ name: 'vpc-id', valueSet: { items: [{ value: vpcId }] } }] } };
  const images = { ownersSet: { items: [{ owner: 'amazon' }] }, imagesSet: { items: [{ imageId: minerImage }] } };
  const steps: readonly [string, Readonly<Record<string, unknown>>, number][] = [
    ['DescribeImages', images, 0],
    ['DescribeVpcs', {}, 3],
    ['DescribeSubnets', filter, 6],
    ['DescribeSubnets', filter, 9],
    ['DescribeImages', images, 14],
    ['DescribeVpcs', {}, 17],
    ['DescribeSubnets', filter, 20],
    ['DescribeSubnets', filter, 23],
  ];
  for (const [name, request, second] of steps) {
    stage.record(recordOf(stage.random, actor, ec2Call(later(start, second * 1000), name, { request })));
  }
}

export interface MinerMachine {
  readonly id: string;
  readonly launch: number;
  readonly launchIndex: number;
  readonly subnetId: string;
  readonly availabilityZone: string;
  readonly privateIp: string;
  readonly networkInterfaceId: string;
}

/** The ten, in the order launched. */
export function minerMachines(): readonly MinerMachine[] {
  const machines: MinerMachine[] = [];
  launches.forEach(([subnetId, availabilityZone, block, count], launch) => {
    for (let launchIndex = 0; launchIndex < count; launchIndex += 1) {
      const id = minerInstances[machines.length] ?? minerInstances[0];
      const networkInterfaceId = `eni-0${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
      const privateIp = `${block}.${10 + machines.length}`;
      machines.push({ id, launch, launchIndex, subnetId, availabilityZone, privateIp, networkInterfaceId });
    }
  });
  return machines;
}

/** When launch number `index` (from 0) was made. */
export function launchedAt(now: Date, index: number): Date {
  return later(attackStart(now), 30_000 + index * 4_000);
}

function attackStart(now: Date): Date {
  return new Date(Math.floor(now.getTime() / 1000) * 1000 - attackMinutesAgo * 60_000);
}

function launch(stage: Stage, index: number): Instance[] {
  const { random } = stage;
  const shared = { reservationId: `r-${random.hex(17)}`, clientToken: random.uuid() };
  return minerMachines()
    .filter((machine) => machine.launch === index)
    .map(({ launch: _launch, ...machine }) => ({
      ...shared,
      ...machine,
      ...{ region, imageId: minerImage, type: 't2.nano', vpcId, securityGroup },
      launchTime: launchedAt(stage.now, index),
      macAddress: `02:${[1, 2, 3, 4, 5].map(() => random.hex(2)).join(':')}`,
      userData: Buffer.from(minerUserData).toString('base64'),
      tags: [],
      state: 'pending' as const,
    }));
}

function launchAll(stage: Stage, actor: Actor): void {
  launches.forEach(([subnetId, , , count], index) => {
    const at = launchedAt(stage.now, index);
    const made = launch(stage, index);
    stage.cast.workshop.instances.push(...made);
    const request = {
      instancesSet: { items: [{ imageId: minerImage, minCount: count, maxCount: count }] },
      userData: '<sensitiveDataRemoved>',
      instanceType: 't2.nano',
      blockDeviceMapping: {},
      monitoring: { enabled: false },
      subnetId,
      disableApiTermination: false,
      disableApiStop: false,
      clientToken: made[0]?.clientToken,
    };
    const answer = asTrail(reservationShape(made, workshopId)) as Readonly<Record<string, unknown>>;
    const response = { requestId: stage.random.uuid(), ...answer };
    stage.record(recordOf(stage.random, actor, ec2Call(at, 'RunInstances', { readOnly: false, request, response })));
    for (const instance of made) instance.state = 'running';
  });
}

/** GuardDuty looks at the machines that it has findings for. */
function addGuardDutyReads(stage: Stage, start: Date): void {
  const role = paperRole(workshopId, 'AWSServiceRoleForAmazonGuardDuty', '/aws-service-role/guardduty.amazonaws.com/');
  const session = { accountId: workshopId, name: 'GuardDutyAssumeRole', accessKeyId: '', createdAt: start };
  const { accessKeyId: _none, ...identity } = sessionIdentity(role, session);
  const service = 'guardduty.amazonaws.com';
  const actor: Actor = {
    accountId: workshopId,
    userIdentity: { ...identity, invokedBy: service },
    sourceIp: service,
    userAgent: service,
  };
  noticedInstances.forEach((instanceId, index) => {
    const request = { instancesSet: { items: [{ instanceId }] }, filterSet: {} };
    const at = later(start, (9 + index) * 60_000);
    stage.record(recordOf(stage.random, actor, ec2Call(at, 'DescribeInstances', { request, userAgent: service })));
  });
}

export const s3Story: Story = {
  name: 's3',
  load(stage) {
    const start = attackStart(stage.now);
    const user = stage.cast.workshop.users.get('pipeline');
    if (user === undefined) throw new RangeError('the cast has no user pipeline');
    const actor = attackerOf(user);
    look(stage, actor, start);
    launchAll(stage, actor);
    const [key] = user.keys;
    if (key !== undefined) key.lastUsed = { date: later(start, 54_000), service: 'ec2', region };
    addGuardDutyReads(stage, start);
    addDevOpsWeek(stage, start, minerInstances);
    addEverydayNoise(stage);
  },
};
