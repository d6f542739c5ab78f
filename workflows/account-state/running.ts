/** What runs and who can act in an account now, in all its Regions. Reads only. */
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { ListAccessKeysCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import pLimit from 'p-limit';
import type { AwsReach, AwsReader } from '#src/contracts/aws.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import type { InventoryEntry } from '#src/contracts/investigation.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { domainsIn } from '#src/domain/contact-mail.ts';
import { iamNext } from '#src/domain/pages.ts';
import type { AccountNow, FoundInstance, FoundScalingGroup, MemberAccount, NewIdentity } from '#src/domain/sweep.ts';
import { listed, look, paged } from './look.ts';
import { serviceCalls, servicesIn, servicesOfAccount } from './services.ts';

export const runningReads: readonly string[] = [
  'autoscaling:DescribeAutoScalingGroups',
  'ec2:DescribeInstances',
  'iam:ListAccessKeys',
  'iam:ListUsers',
  'organizations:ListAccounts',
  ...serviceCalls,
];

const regionsAtOnce = 8;
const maxUsers = 2_000;

interface Ctx {
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/**
 * One account as it stands. `since`: what counts as made lately, ISO 8601 UTC. `entry`: what the config says of it. AWS's refusals
 * stand in the answer.
 */
export async function accountNow(
  aws: AwsReach,
  accountId: string,
  since: string,
  entry: InventoryEntry | undefined,
  ctx: Ctx,
): Promise<AccountNow> {
  const opened = await look(async () => {
    const reader = await aws.reader(accountId);
    return { reader, regions: await aws.regions(accountId) };
  }, ctx.signal);
  const nothing = { regions: [], services: [], users: undefined, members: undefined };
  if (!opened.ok) return { accountId, failed: opened.reason, ...nothing };
  const { reader, regions } = opened.value;
  const services = { since, domains: domainsIn(entry?.contacts ?? []), signal: ctx.signal };
  const limit = pLimit(regionsAtOnce);
  let done = 0;
  const asked = regions.map((region) =>
    limit(async () => {
      const instances = await look(() => instancesIn(reader, region), ctx.signal);
      const groups = await look(() => groupsIn(reader, region), ctx.signal);
      const others = await servicesIn(reader, region, services, instances.ok);
      done += 1;
      ctx.progress(`Sweeping what exists now in ${accountId}: ${done} of ${regions.length} Regions`);
      return { now: { region, instances, groups }, others };
    }),
  );
  // All at once: a run that is ended rejects each of them, and none may be left without anybody who waits for it.
  const [found, users, members, wide] = await Promise.all([
    Promise.all(asked),
    look(() => newIdentities(reader, since), ctx.signal),
    look(() => memberAccounts(reader), ctx.signal),
    servicesOfAccount(reader, services),
  ]);
  return {
    ...{ accountId, users, members },
    regions: found.map(({ now }) => now),
    services: [...found.flatMap(({ others }) => others), ...wide],
  };
}

async function instancesIn(reader: AwsReader, region: string): Promise<readonly FoundInstance[]> {
  const ec2 = reader.ec2(region);
  const live = [{ Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }];
  return paged(async (token) => {
    const answer = await ec2.send(
      new DescribeInstancesCommand({
        Filters: live,
        MaxResults: 1000,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    );
    const items = listed(answer.Reservations, 'Reservations').flatMap((reservation) =>
      (reservation.Instances ?? []).map((one) => ({
        id: one.InstanceId ?? '',
        type: one.InstanceType ?? '',
        state: one.State?.Name ?? '',
        launchedAt: one.LaunchTime?.toISOString() ?? '',
        spot: one.InstanceLifecycle === 'spot',
        httpTokens: one.MetadataOptions?.HttpTokens ?? '',
        imageId: one.ImageId ?? '',
        name: one.Tags?.find(({ Key }) => Key === 'Name')?.Value ?? '',
      })),
    );
    return { items, next: answer.NextToken };
  });
}

async function groupsIn(reader: AwsReader, region: string): Promise<readonly FoundScalingGroup[]> {
  const scaling = reader.autoScaling(region);
  return paged(async (token) => {
    const answer = await scaling.send(
      new DescribeAutoScalingGroupsCommand({ MaxRecords: 100, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    const items = listed(answer.AutoScalingGroups, 'AutoScalingGroups').map((one) => ({
      name: one.AutoScalingGroupName ?? '',
      wanted: one.DesiredCapacity ?? 0,
      most: one.MaxSize ?? 0,
      madeAt: one.CreatedTime?.toISOString() ?? '',
    }));
    return { items, next: answer.NextToken };
  });
}

/** Users and keys made since then. IAM is asked user by user for keys. */
async function newIdentities(reader: AwsReader, since: string): Promise<readonly NewIdentity[]> {
  const users = await paged(async (token) => {
    const answer = await reader.iam.send(
      new ListUsersCommand({ MaxItems: 1000, ...(token === undefined ? {} : { Marker: token }) }),
    );
    return { items: listed(answer.Users, 'Users'), next: iamNext(answer) };
  });
  if (users.length > maxUsers) {
    const message = `the account has ${users.length} users, and the keys of more than ${maxUsers} are not asked for`;
    throw new UpstreamError('aws', 'TooManyUsers', message, { retryable: false });
  }
  const limit = pLimit(4);
  const keys = await Promise.all(
    users.map((user) =>
      limit(async () => {
        const name = user.UserName ?? '';
        const own = await paged(async (token) => {
          const answer = await reader.iam.send(
            new ListAccessKeysCommand({ UserName: name, ...(token === undefined ? {} : { Marker: token }) }),
          );
          return { items: listed(answer.AccessKeyMetadata, 'AccessKeyMetadata'), next: iamNext(answer) };
        });
        return own.map((key) => ({
          kind: 'key' as const,
          id: key.AccessKeyId ?? '',
          of: name,
          active: key.Status === 'Active',
          madeAt: key.CreateDate?.toISOString() ?? '',
        }));
      }),
    ),
  );
  const made = users.map((user) => ({
    kind: 'user' as const,
    id: user.Arn ?? '',
    of: user.UserName ?? '',
    active: true,
    madeAt: user.CreateDate?.toISOString() ?? '',
  }));
  return [...made, ...keys.flat()].filter(({ madeAt }) => madeAt >= since);
}

/** The accounts of the organisation; none where the account is in no organisation. Members may not ask: AWS refuses it. */
async function memberAccounts(reader: AwsReader): Promise<readonly MemberAccount[]> {
  try {
    return await paged(async (token) => {
      const answer = await reader.organizations.send(
        new ListAccountsCommand(token === undefined ? {} : { NextToken: token }),
      );
      const items = listed(answer.Accounts, 'Accounts').map((one) => ({
        id: one.Id ?? '',
        name: one.Name ?? '',
        email: one.Email ?? '',
        // `Status` is being retired in favour of `State` (DOMAIN.md 6.4).
        state: one.State ?? one.Status ?? '',
        joinedAt: one.JoinedTimestamp?.toISOString() ?? '',
        created: one.JoinedMethod === 'CREATED',
      }));
      return { items, next: answer.NextToken };
    });
  } catch (error) {
    if (isAwsError(error, 'AWSOrganizationsNotInUseException')) return [];
    throw error;
  }
}
