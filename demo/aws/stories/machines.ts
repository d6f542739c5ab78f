/** Two web servers that share a role: one that somebody has got into, one that nobody has. For tests of what is done about machines. */
import type { Role } from '../state.ts';
import { workshopId } from '../world.ts';
import type { Stage } from './story.ts';

export const webServer = 'i-0aa11bb22cc33dd44';
export const sibling = 'i-0aa11bb22cc33dd55';
const region = 'us-east-1';
const profileArn = `arn:aws:iam::${workshopId}:instance-profile/shop-web`;

/** Puts both into the workshop account, with their role and its profile. */
export function addWebServers({ cast, now, random }: Stage): void {
  const { workshop } = cast;
  const role: Role = {
    ...{ name: 'shop-web', path: '/', id: 'AROAEXAMPLESHOPWEB01', createDate: now, maxSessionDuration: 3_600 },
    arn: `arn:aws:iam::${workshopId}:role/shop-web`,
    description: 'Web servers of the shop',
    trust: {
      Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
    },
    policies: [
      {
        name: 'ShopWeb',
        document: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: ['ec2:Describe*', 's3:GetObject'], Resource: '*' }],
        },
      },
    ],
  };
  workshop.roles.set(role.name, role);
  [webServer, sibling].forEach((id, index) => {
    const tail = id.slice(-4);
    workshop.instances.push({
      ...{ id, region, profileArn, launchIndex: index, imageId: 'ami-0123456789abcdef0', type: 'm5d.large' },
      ...{ reservationId: `r-${random.hex(17)}`, clientToken: random.uuid(), launchTime: now, tags: [] },
      ...{ availabilityZone: `${region}a`, subnetId: 'subnet-0f6cbe2de726b03fc', vpcId: 'vpc-0f7b220f37f9c9e31' },
      securityGroup: { id: 'sg-050c333b86822c1f1', name: 'default' },
      ...{ privateIp: `192.168.9.${10 + index}`, publicIp: `203.0.113.${60 + index}`, state: 'running' as const },
      ...{ networkInterfaceId: `eni-0aa11bb22cc33${tail}`, macAddress: `02:00:00:00:00:0${index}` },
      evidence: {
        volumes: [
          { id: `vol-0aa11bb22cc3300${tail.slice(2)}`, device: '/dev/xvda' },
          { id: `vol-0aa11bb22cc3301${tail.slice(2)}`, device: '/dev/sdf' },
        ],
        shutdown: 'terminate',
        metadata: { tokens: 'optional', hops: 2 },
        agent: { ping: 'Online', platform: 'Linux' },
      },
    });
  });
}
