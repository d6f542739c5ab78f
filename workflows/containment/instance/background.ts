/** What an approver should know of an instance beside what the plan needs: whose it is, who reaches it. One sentence each. */
import type { Instance } from '@aws-sdk/client-ec2';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { inert } from '#src/domain/inert.ts';
import { tagsOf } from './instance-of.ts';
import type { Placement } from './placement.ts';

const owner = /^(owner|team|contact|maintainer|created-?by|cost-?cent(er|re))$/i;
/** Tags that only AWS can set, of what would bring the instance back or manages it. */
const managers: readonly (readonly [string, string])[] = [
  ['aws:ec2:fleet-id', 'the EC2 fleet'],
  ['aws:ec2spot:fleet-request-id', 'the spot fleet'],
  ['eks:nodegroup-name', 'the EKS node group'],
  ['aws:eks:cluster-name', 'the EKS cluster'],
  ['elasticbeanstalk:environment-name', 'the Elastic Beanstalk environment'],
  ['aws:cloudformation:stack-name', 'the CloudFormation stack'],
];
const longest = 80;

/** `records`: those that name the instance, of the last 90 days. Text of tags is whatever somebody wrote: shortened, and inert. */
export function backgroundOf(
  instance: Instance,
  { targets, balancers }: Pick<Placement, 'targets' | 'balancers'>,
  records: readonly CloudTrailRecord[],
): string[] {
  const lines: string[] = [];
  const tags = tagsOf(instance);
  const owners = tags.filter(({ key }) => owner.test(key));
  for (const { key, value } of owners) {
    lines.push(`Its tag ${shown(key)} says ${shown(value)}; ${whoSet(key, records)}.`);
  }
  if (owners.length === 0) lines.push('It has no tag that names an owner.');
  for (const [key, what] of managers) {
    const found = tags.find((tag) => tag.key === key);
    if (found !== undefined) lines.push(`It belongs to ${what} ${shown(found.value)}, which may replace or change it.`);
  }
  for (const { groupArn, port } of targets) {
    lines.push(`The target group ${shown(groupArn.split('/')[1] ?? groupArn)} sends it requests on port ${port}.`);
  }
  for (const name of balancers) lines.push(`The classic load balancer ${shown(name)} sends it requests.`);
  lines.push(publicWords(instance));
  return lines;
}

function publicWords({ PublicIpAddress, PublicDnsName, NetworkInterfaces }: Instance): string {
  if (PublicIpAddress === undefined || PublicIpAddress === '') return 'It has no public address.';
  const [first] = NetworkInterfaces ?? [];
  const ofAmazon = first?.Association?.IpOwnerId === undefined || first.Association.IpOwnerId === 'amazon';
  const name = PublicDnsName === undefined || PublicDnsName === '' ? '' : ` (${PublicDnsName})`;
  const kind = ofAmazon
    ? 'which changes when the instance is stopped and started'
    : 'an Elastic IP address, which stays when it is stopped';
  return `Its public address is ${PublicIpAddress}${name}, ${kind}; DNS names that point there are not looked at.`;
}

/** Anybody with CreateTags can name an owner, the attacker too: what counts is who wrote it. */
function whoSet(key: string, records: readonly CloudTrailRecord[]): string {
  const setting = records
    .filter(({ eventName, errorCode }) => errorCode === undefined && ['CreateTags', 'RunInstances'].includes(eventName))
    .filter(({ requestParameters }) => JSON.stringify(requestParameters ?? {}).includes(`"key":${JSON.stringify(key)}`))
    .sort((a, b) => (a.eventTime < b.eventTime ? 1 : -1))[0];
  if (setting === undefined) return 'who set it is not in the logs of the last 90 days';
  const who = setting.userIdentity.arn ?? setting.userIdentity.principalId ?? 'somebody unknown';
  return `${shown(who)} set it at ${setting.eventTime}`;
}

function shown(text: string): string {
  return inert(text, longest);
}
