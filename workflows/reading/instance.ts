/** Reads an instance and what hangs on it from EC2. */
import {
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  type Instance,
  type IpPermission,
} from '@aws-sdk/client-ec2';
import { GetInstanceProfileCommand } from '@aws-sdk/client-iam';
import type { ImageFacts, InstanceFacts, Rule, SecurityGroupRules } from '#src/domain/dossier/instance.ts';
import { rightsOf } from '#src/domain/dossier/rights.ts';
import { daysBetween } from '#src/domain/dossier/words.ts';
import { everyPage } from '#src/domain/pages.ts';
import { isoOf } from '#src/domain/window.ts';
import { readRole } from './identity.ts';
import type { Look } from './policies.ts';

/** Null where the Region has no such instance; undefined where it could not be asked. */
export async function readInstance(id: string, region: string, look: Look): Promise<InstanceFacts | null | undefined> {
  const found = await instancesBy({ Name: 'instance-id', Values: [id] }, region, look, `the instance in ${region}`);
  return found === undefined ? undefined : (found[0] ?? null);
}

/** Instances of a Region by a filter, terminated ones included while AWS lists them. */
export async function instancesBy(
  filter: { readonly Name: string; readonly Values: string[] },
  region: string,
  { reader, asking, signal }: Look,
  part: string,
): Promise<readonly InstanceFacts[] | undefined> {
  const ec2 = reader.ec2(region);
  const answer = await asking.ask(part, 'ec2:DescribeInstances', async () => {
    const reservations = await everyPage(async (NextToken) => {
      const page = await ec2.send(new DescribeInstancesCommand({ Filters: [filter], NextToken }), {
        abortSignal: signal,
      });
      return { items: page.Reservations, next: page.NextToken };
    });
    return reservations.flatMap(({ Instances = [], ReservationId = '' }) =>
      Instances.map((instance) => factsOf(instance, ReservationId, reader.accountId, region)),
    );
  });
  return answer ?? undefined;
}

function factsOf(instance: Instance, reservationId: string, accountId: string, region: string): InstanceFacts {
  const interfaces = instance.NetworkInterfaces ?? [];
  const publicAddresses = [
    instance.PublicIpAddress,
    ...interfaces.map((one) => one.Association?.PublicIp),
    ...interfaces.flatMap((one) => (one.Ipv6Addresses ?? []).map((address) => address.Ipv6Address)),
  ];
  const options = instance.MetadataOptions;
  return {
    id: instance.InstanceId ?? '',
    accountId,
    region,
    state: instance.State?.Name ?? 'unknown',
    type: instance.InstanceType ?? '',
    launchedAt: instance.LaunchTime === undefined ? null : isoOf(instance.LaunchTime.getTime()),
    imageId: instance.ImageId ?? '',
    keyName: instance.KeyName || null,
    vpcId: instance.VpcId || null,
    subnetId: instance.SubnetId || null,
    privateIp: instance.PrivateIpAddress || null,
    publicAddresses: [...new Set(publicAddresses.filter((ip): ip is string => ip !== undefined && ip !== ''))],
    groups: (instance.SecurityGroups ?? []).map((group) => ({ id: group.GroupId ?? '', name: group.GroupName ?? '' })),
    profileArn: instance.IamInstanceProfile?.Arn ?? null,
    reservationId,
    metadata: {
      v1Allowed:
        options?.HttpEndpoint === undefined
          ? null
          : options.HttpEndpoint === 'enabled' && options.HttpTokens !== 'required',
      hopLimit: options?.HttpPutResponseHopLimit ?? null,
    },
    tags: (instance.Tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value })),
  };
}

export async function readImage(
  id: string,
  region: string,
  now: Date,
  { reader, asking, signal }: Look,
): Promise<ImageFacts | null> {
  const image = await asking.ask(
    'the image',
    'ec2:DescribeImages',
    async () =>
      (await reader.ec2(region).send(new DescribeImagesCommand({ ImageIds: [id] }), { abortSignal: signal }))
        .Images?.[0] ?? null,
  );
  if (!image) {
    if (image === null)
      asking.note('the image', `AWS lists no ${id}: it is gone, or no longer shared with this account`);
    return null;
  }
  const createdAt = image.CreationDate ?? null;
  return {
    id,
    name: image.Name ?? '',
    ownerId: image.OwnerId ?? '',
    ownerAlias: image.ImageOwnerAlias ?? '',
    public: image.Public === true,
    createdAt,
    ageDays: daysBetween(createdAt, now),
  };
}

export async function readGroups(
  ids: readonly string[],
  region: string,
  { reader, asking, signal }: Look,
): Promise<readonly SecurityGroupRules[] | null> {
  if (ids.length === 0) return [];
  const answer = await asking.ask(
    'security groups',
    'ec2:DescribeSecurityGroups',
    async () =>
      (
        await reader
          .ec2(region)
          .send(new DescribeSecurityGroupsCommand({ GroupIds: [...ids] }), { abortSignal: signal })
      ).SecurityGroups ?? [],
  );
  if (!answer) return null;
  return answer.map((group) => ({
    id: group.GroupId ?? '',
    name: group.GroupName ?? '',
    inbound: (group.IpPermissions ?? []).map(ruleOf),
    outbound: (group.IpPermissionsEgress ?? []).map(ruleOf),
  }));
}

function ruleOf(rule: IpPermission): Rule {
  const ranges = [
    ...(rule.IpRanges ?? []).map(({ CidrIp }) => CidrIp),
    ...(rule.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
  ];
  return {
    protocol: rule.IpProtocol ?? '-1',
    fromPort: rule.FromPort,
    toPort: rule.ToPort,
    ranges: ranges.filter((range): range is string => range !== undefined),
  };
}

/** Base64; null where the instance has none, undefined where it could not be read. */
export async function readScript(
  id: string,
  region: string,
  { reader, asking, signal }: Look,
): Promise<string | null | undefined> {
  return asking.ask(
    'user data',
    'ec2:DescribeInstanceAttribute',
    async () =>
      (
        await reader.ec2(region).send(new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }), {
          abortSignal: signal,
        })
      ).UserData?.Value || null,
  );
}

/** The role behind an instance profile, and what it can do. */
export async function readProfile(arn: string, look: Look) {
  const { reader, asking, signal } = look;
  const name = arn.split('/').at(-1) ?? '';
  const profile = await asking.ask(
    'instance profile',
    'iam:GetInstanceProfile',
    async () =>
      (await reader.iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal: signal }))
        .InstanceProfile,
  );
  const role = profile?.Roles?.[0]?.RoleName;
  const facts = role === undefined ? undefined : await readRole(role, look);
  return { arn, role: role ?? null, rights: facts ? rightsOf(facts.policies, facts.boundaryStatements) : null };
}
