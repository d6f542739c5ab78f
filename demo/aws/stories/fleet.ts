/**
 * Machines that are in use: two behind load balancers in an Auto Scaling group (one with two interfaces and both protections),
 * one that stands alone, one on spot.
 */
import type { NetworkInterface, SecurityGroup } from '../network.ts';
import type { Account, Instance } from '../state.ts';

export const fleetRegion = 'eu-west-1';
const region = fleetRegion;
export const fleet = {
  scaled: 'i-0f1ee70000000a001',
  sibling: 'i-0f1ee70000000a002',
  alone: 'i-0f1ee70000000b001',
  spot: 'i-0f1ee70000000c001',
} as const;
export const fleetGroup = 'shop-web';
const vpcId = 'vpc-0f1ee7000000000a1';
const subnetId = 'subnet-0f1ee7000000000a1';
const web = { id: 'sg-0f1ee7000000000a1', name: 'shop-web' };
const admin = { id: 'sg-0f1ee7000000000a2', name: 'shop-admin' };

function groups(): SecurityGroup[] {
  const all = { protocol: '-1', peer: { cidr: '0.0.0.0/0' } } as const;
  const from = (port: number, cidr: string) => ({ protocol: 'tcp', from: port, to: port, peer: { cidr } });
  return [
    { ...web, description: 'The shop', region, vpcId, tags: [], ingress: [from(443, '0.0.0.0/0')], egress: [all] },
    { ...admin, description: 'Admins', region, vpcId, tags: [], ingress: [from(22, '10.0.0.0/8')], egress: [] },
  ];
}

/** The `index`-th interface of a machine. Ids go by the machine's. */
export function fleetInterface(instanceId: string, index: number): NetworkInterface {
  const serial = instanceId.slice(-4);
  return {
    id: `eni-0f1ee7000000${serial}${index}`,
    ...{ subnetId, vpcId, deviceIndex: index },
    privateIp: `10.0.${Number.parseInt(serial.slice(0, 1), 16)}.${Number(serial.slice(1)) * 10 + index}`,
    ...(index === 0 ? { publicIp: `198.51.100.${Number.parseInt(serial.slice(0, 1), 16)}` } : {}),
    macAddress: `06:f1:ee:70:00:0${index}`,
    groups: index === 0 ? [web, admin] : [admin],
  };
}

/** A machine of this VPC, running. */
export function fleetMachine(id: string, now: Date, more: Partial<Instance>, interfaces = 1): Instance {
  const [first] = [fleetInterface(id, 0)];
  return {
    ...{ id, region, subnetId, vpcId, launchIndex: 0 },
    reservationId: `r-0f1ee700000${id.slice(-6)}`,
    imageId: 'ami-0d5eff06f840b45e9',
    type: 'm5d.large',
    launchTime: new Date(now.getTime() - 40 * 24 * 3_600_000),
    availabilityZone: `${region}a`,
    privateIp: first.privateIp,
    publicIp: `198.51.100.${Number.parseInt(id.slice(-4, -3), 16)}`,
    securityGroup: web,
    networkInterfaceId: first.id,
    macAddress: first.macAddress,
    clientToken: id,
    state: 'running',
    interfaces: Array.from({ length: interfaces }, (_, index) => fleetInterface(id, index)),
    tags: [{ Key: 'Owner', Value: 'shop-team' }],
    ...more,
  };
}

/** Puts the machines and all that they hang on into the account. */
export function addFleet(account: Account, now: Date): void {
  const { instances, network } = account;
  const member = [
    { Key: 'Owner', Value: 'shop-team' },
    { Key: 'aws:autoscaling:groupName', Value: fleetGroup },
  ];
  const protection = { stop: true, termination: true };
  instances.push(
    fleetMachine(fleet.scaled, now, { tags: member, protection }, 2),
    fleetMachine(fleet.sibling, now, { tags: [...member] }),
    fleetMachine(fleet.alone, now, { type: 't3.small', protection: { ...protection } }),
    fleetMachine(fleet.spot, now, { spot: { requestId: 'sir-f1ee7c01', type: 'persistent', requestState: 'active' } }),
  );
  network.securityGroups.push(...groups());
  network.ipv6Vpcs.add(vpcId);
  ['ssm', 'ssmmessages', 'ec2messages'].forEach((service, index) => {
    network.endpoints.push({
      ...{ id: `vpce-0f1ee7000000000a${index}`, region, vpcId },
      serviceName: `com.amazonaws.${region}.${service}`,
      interfaces: [{ id: `eni-0f1ee700000000e0${index}`, privateIp: `10.0.200.1${index}` }],
    });
  });
  const arn = `arn:aws:elasticloadbalancing:${region}:${account.id}:targetgroup/shop-web/0f1ee7000000000a`;
  network.targetGroups.push({
    ...{ arn, name: 'shop-web', region, vpcId, targetType: 'instance', port: 443 },
    targets: [fleet.scaled, fleet.sibling].map((id) => ({ id, port: 443, draining: false })),
  });
  network.loadBalancers.push({ name: 'shop-classic', region, vpcId, instances: [fleet.scaled] });
  network.scalingGroups.push({
    ...{ name: fleetGroup, region, uuid: '5f1ee700-0000-4000-8000-0000000000a1', minSize: 1, maxSize: 4, desired: 2 },
    members: new Map([fleet.scaled, fleet.sibling].map((id) => [id, 'InService'])),
    suspended: [],
    targetGroupArns: [arn],
    loadBalancerNames: [],
  });
}
