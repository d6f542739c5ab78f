/** What an account would show in an incident: its trails, detectors, flow logs, contacts and our roles. Reads only. */
import { GetAlternateContactCommand } from '@aws-sdk/client-account';
import {
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import {
  DescribeFlowLogsCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  GetInstanceMetadataDefaultsCommand,
} from '@aws-sdk/client-ec2';
import { GetDetectorCommand, ListDetectorsCommand } from '@aws-sdk/client-guardduty';
import { GetRoleCommand } from '@aws-sdk/client-iam';
import pLimit from 'p-limit';
import type { AwsReach, AwsReader } from '#src/contracts/aws.ts';
import type { InventoryEntry } from '#src/contracts/investigation.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { globalRegion } from '#src/domain/partition.ts';
import type { AccountPosture, RegionPosture } from '#src/domain/readiness.ts';
import type { FoundTrail } from '#src/domain/readiness-trails.ts';
import { recordedBy } from '#src/domain/trail-selectors.ts';
import { dnsLogsIn } from './dns-logs.ts';
import { listed, look, paged } from './look.ts';

export const postureReads = [
  'account:GetAlternateContact',
  'cloudtrail:DescribeTrails',
  'cloudtrail:GetEventSelectors',
  'cloudtrail:GetTrailStatus',
  'ec2:DescribeFlowLogs',
  'ec2:DescribeInstances',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeVpcs',
  'ec2:GetInstanceMetadataDefaults',
  'guardduty:GetDetector',
  'guardduty:ListDetectors',
  'iam:GetRole',
  'route53resolver:ListResolverQueryLogConfigAssociations',
  'route53resolver:ListResolverQueryLogConfigs',
] as const;

const regionsAtOnce = 8;

interface Ctx {
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/** One account as it stands. AWS's refusals stand in the answer. `entry`: what the config says of it. */
export async function accountPosture(
  aws: AwsReach,
  accountId: string,
  entry: InventoryEntry | undefined,
  ctx: Ctx,
): Promise<AccountPosture> {
  const opened = await look(async () => {
    const reader = await aws.reader(accountId);
    return { reader, regions: await aws.regions(accountId) };
  }, ctx.signal);
  const nothing = { trails: undefined, securityContact: undefined, responderRole: undefined, regions: [] };
  if (!opened.ok) return { accountId, failed: opened.reason, ...nothing };
  const { reader, regions } = opened.value;
  const limit = pLimit(regionsAtOnce);
  let done = 0;
  const asked = regions.map((region) =>
    limit(async () => {
      const posture = await regionPosture(reader, region, ctx.signal);
      done += 1;
      ctx.progress(`Looking at ${accountId}: ${done} of ${regions.length} Regions`);
      return posture;
    }),
  );
  const role = entry?.responderRole;
  // All at once: a run that is ended rejects each of them, and none may be left without anybody who waits for it.
  const [found, trails, securityContact, responderRole] = await Promise.all([
    Promise.all(asked),
    look(() => trailsOf(reader, ctx.signal), ctx.signal),
    look(() => hasSecurityContact(reader), ctx.signal),
    role === undefined ? undefined : look(() => hasRole(reader, role), ctx.signal),
  ]);
  return { accountId, trails, securityContact, responderRole, regions: found };
}

async function regionPosture(reader: AwsReader, region: string, signal: AbortSignal): Promise<RegionPosture> {
  return {
    region,
    detector: await look(() => detectorIn(reader, region), signal),
    vpcs: await look(() => vpcsIn(reader, region), signal),
    dnsLogs: await look(() => dnsLogsIn(reader, region, signal), signal),
    tokens: await look(() => metadataDefault(reader, region), signal),
    openMetadata: await look(() => openMetadata(reader, region), signal),
  };
}

/** Also trails of other Regions and of the organisation, which appear here as shadows. */
async function trailsOf(reader: AwsReader, signal: AbortSignal): Promise<readonly FoundTrail[]> {
  const home = globalRegion(reader.partition);
  const { trailList = [] } = await reader
    .cloudtrail(home)
    .send(new DescribeTrailsCommand({ includeShadowTrails: true }));
  return Promise.all(trailList.map((trail) => trailOf(reader, trail, home, signal)));
}

async function trailOf(reader: AwsReader, trail: Trail, home: string, signal: AbortSignal): Promise<FoundTrail> {
  const arn = trail.TrailARN ?? trail.Name ?? '';
  const cloudtrail = reader.cloudtrail(trail.HomeRegion ?? home);
  return {
    arn,
    name: trail.Name ?? arn,
    multiRegion: trail.IsMultiRegionTrail === true,
    validation: trail.LogFileValidationEnabled === true,
    organization: trail.IsOrganizationTrail === true,
    logging: await look(async () => {
      const status = await cloudtrail.send(new GetTrailStatusCommand({ Name: arn }));
      return { on: status.IsLogging === true, deliveryError: status.LatestDeliveryError ?? '' };
    }, signal),
    recorded: await look(
      async () => recordedBy(await cloudtrail.send(new GetEventSelectorsCommand({ TrailName: arn }))),
      signal,
    ),
  };
}

async function hasSecurityContact(reader: AwsReader): Promise<boolean> {
  try {
    const answer = await reader.account.send(new GetAlternateContactCommand({ AlternateContactType: 'SECURITY' }));
    return answer.AlternateContact !== undefined;
  } catch (error) {
    // How AWS says that none is set (DOMAIN.md 6.4).
    if (isAwsError(error, 'ResourceNotFoundException')) return false;
    throw error;
  }
}

async function hasRole(reader: AwsReader, arn: string): Promise<boolean> {
  try {
    const answer = await reader.iam.send(new GetRoleCommand({ RoleName: arn.split('/').at(-1) ?? arn }));
    return answer.Role?.Arn === arn;
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return false;
    throw error;
  }
}

async function detectorIn(reader: AwsReader, region: string) {
  const guardduty = reader.guardduty(region);
  const [id] = await paged(async (NextToken) => {
    const page = await guardduty.send(new ListDetectorsCommand({ NextToken }));
    return { items: listed(page.DetectorIds, 'DetectorIds'), next: page.NextToken };
  });
  if (id === undefined) return undefined;
  const answer = await guardduty.send(new GetDetectorCommand({ DetectorId: id }));
  return { enabled: answer.Status === 'ENABLED', frequency: answer.FindingPublishingFrequency ?? '' };
}

async function vpcsIn(reader: AwsReader, region: string) {
  const ec2 = reader.ec2(region);
  const vpcs = await paged(async (token) => {
    const answer = await ec2.send(new DescribeVpcsCommand(token === undefined ? {} : { NextToken: token }));
    return { items: listed(answer.Vpcs, 'Vpcs').flatMap(({ VpcId }) => VpcId ?? []), next: answer.NextToken };
  });
  const logged = await paged(async (token) => {
    const answer = await ec2.send(new DescribeFlowLogsCommand(token === undefined ? {} : { NextToken: token }));
    // One that is refused at its bucket, or keeps only what was refused, says nothing of where instances talked to.
    const active = listed(answer.FlowLogs, 'FlowLogs').filter(
      (one) => one.FlowLogStatus === 'ACTIVE' && one.DeliverLogsStatus !== 'FAILED' && one.TrafficType !== 'REJECT',
    );
    return { items: active.flatMap(({ ResourceId }) => ResourceId ?? []), next: answer.NextToken };
  });
  return { all: vpcs.length, without: vpcs.filter((vpc) => !logged.includes(vpc)) };
}

async function metadataDefault(reader: AwsReader, region: string): Promise<string> {
  const answer = await reader.ec2(region).send(new GetInstanceMetadataDefaultsCommand({}));
  const tokens: string = answer.AccountLevel?.HttpTokens ?? '';
  return tokens === 'no-preference' ? '' : tokens;
}

async function openMetadata(reader: AwsReader, region: string): Promise<readonly string[]> {
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
    const items = listed(answer.Reservations, 'Reservations')
      .flatMap((reservation) => reservation.Instances ?? [])
      .filter(
        ({ MetadataOptions }) =>
          MetadataOptions?.HttpEndpoint !== 'disabled' && MetadataOptions?.HttpTokens !== 'required',
      )
      .flatMap(({ InstanceId }) => InstanceId ?? []);
    return { items, next: answer.NextToken };
  });
}
