/** How accounts are reached: audit roles for reading, the base credentials where an account has none. */
import { ListRegionsCommand } from '@aws-sdk/client-account';
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { AwsReach, AwsReader, AwsResponder, ResponderRequest } from '../contracts/aws.ts';
import { UpstreamError, UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import type { Account } from '../domain/inventory.ts';
import { everyPage } from '../domain/pages.ts';
import { globalRegion, partitionOfRegion } from '../domain/partition.ts';
import { roleArnOfSession } from '../domain/principal.ts';
import { accountClient, type Credentials, partitionOfRole, readAttempts, stsClient } from './clients.ts';
import { reader } from './reader.ts';
import { assumeResponder } from './responder.ts';

export interface ReachOptions {
  readonly accounts: readonly Account[];
  /** Regions of the config; empty: asked of AWS. */
  readonly regions: readonly string[];
  /** The SDK's default Region. */
  readonly region: string;
  readonly log: Log;
}

/** The SDK asks again five minutes before a session of 15 expires; by then this one is new. */
const sessionKeptMs = 8 * 60_000;
const regionsKeptMs = 10 * 60_000;

export function openReach(options: ReachOptions): AwsReach {
  const readers = new Map<string, Promise<AwsReader>>();
  const regionLists = new Map<string, { at: number; list: Promise<readonly string[]> }>();
  let own: Promise<Caller> | undefined;

  async function ownAccount(): Promise<Caller> {
    own ??= callerIdentity(options.region);
    try {
      return await own;
    } catch (error) {
      own = undefined;
      throw error;
    }
  }

  async function openReader(accountId: string): Promise<AwsReader> {
    const account = options.accounts.find((entry) => entry.id === accountId);
    if (account?.auditRole !== undefined) {
      const partition = partitionOfRole(account.auditRole);
      return reader(accountId, partition, auditCredentials(account.auditRole, account.externalId, options.region));
    }
    const base = await ownAccount();
    if (base.accountId !== accountId) {
      throw new UserError(
        `account ${accountId} cannot be read: the config gives it no auditRole, and our credentials belong to ${base.accountId}`,
        'Add accounts[].auditRole for it.',
      );
    }
    return reader(accountId, base.partition, undefined);
  }

  async function readerOf(accountId: string): Promise<AwsReader> {
    const known = readers.get(accountId) ?? openReader(accountId);
    readers.set(accountId, known);
    try {
      return await known;
    } catch (error) {
      readers.delete(accountId);
      throw error;
    }
  }

  async function regionsOf(accountId: string): Promise<readonly string[]> {
    if (options.regions.length > 0) return options.regions;
    const kept = regionLists.get(accountId);
    if (kept !== undefined && Date.now() - kept.at < regionsKeptMs) return kept.list;
    const list = readerOf(accountId).then((found) => askRegions(found, options.log));
    regionLists.set(accountId, { at: Date.now(), list });
    try {
      return await list;
    } catch (error) {
      regionLists.delete(accountId);
      throw error;
    }
  }

  return {
    async accounts() {
      if (options.accounts.length > 0) return options.accounts.map((account) => account.id);
      return [(await ownAccount()).accountId];
    },
    regions: regionsOf,
    reader: readerOf,
    self: async () => (await ownAccount()).names,
    async responder(request: ResponderRequest): Promise<AwsResponder> {
      const account = options.accounts.find((entry) => entry.id === request.accountId);
      if (account?.responderRole === undefined) {
        throw new UserError(`account ${request.accountId} has no responder role, so nothing can be contained there`);
      }
      return assumeResponder(account.responderRole, account.externalId, request, options.region);
    },
  };
}

/** Whose credentials this process has. */
interface Caller {
  readonly accountId: string;
  readonly partition: string;
  /** ARN and access key id. */
  readonly names: readonly string[];
}

async function callerIdentity(region: string): Promise<Caller> {
  try {
    const client = stsClient(region, { credentials: undefined, maxAttempts: readAttempts });
    const answer = await client.send(new GetCallerIdentityCommand({}));
    if (answer.Account === undefined)
      throw new UpstreamError('aws', 'NotAws', "the answer was not AWS's", { retryable: true });
    return {
      accountId: answer.Account,
      partition: /^arn:([^:]+):/.exec(answer.Arn ?? '')?.[1] ?? partitionOfRegion(region),
      names: [
        answer.Arn ?? '',
        // A role's own id and its ARN without a path, as targets have them: what runs as a role must not contain that role.
        answer.UserId?.split(':')[0] ?? '',
        roleArnOfSession(answer.Arn ?? '') ?? '',
        (await client.config.credentials()).accessKeyId,
      ].filter((name) => name !== ''),
    };
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    const facts = awsErrorFacts(error);
    throw new UpstreamError('aws', facts.code, `AWS does not say who we are: ${facts.code}`, {
      retryable: facts.retryable,
      cause: error,
    });
  }
}

/**
 * One session for all clients of an account (each client would ask for its own), kept until shortly before it expires: 15
 * minutes, so that a right that was taken away bites soon.
 */
export function auditCredentials(roleArn: string, externalId: string | undefined, region: string): Credentials {
  let kept: { until: number; session: ReturnType<typeof auditSession> } | undefined;
  return async () => {
    if (kept === undefined || Date.now() > kept.until) {
      kept = { until: Date.now() + sessionKeptMs, session: auditSession(roleArn, externalId, region) };
    }
    try {
      return await kept.session;
    } catch (error) {
      kept = undefined;
      throw error;
    }
  };
}

async function auditSession(roleArn: string, externalId: string | undefined, region: string) {
  const partition = partitionOfRole(roleArn);
  const stsRegion = partitionOfRegion(region) === partition ? region : globalRegion(partition);
  const answer = await stsClient(stsRegion, { credentials: undefined, maxAttempts: readAttempts }).send(
    new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: 'firebreak-audit',
      DurationSeconds: 900,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    }),
  );
  const keys = answer.Credentials;
  if (!keys?.AccessKeyId || !keys.SecretAccessKey || !keys.SessionToken) {
    throw new UpstreamError('aws', 'NotAws', `assuming ${roleArn} gave no credentials`, { retryable: true });
  }
  return {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
    ...(keys.Expiration === undefined ? {} : { expiration: keys.Expiration }),
  };
}

async function askRegions(found: AwsReader, log: Log): Promise<readonly string[]> {
  try {
    return await listRegions(found);
  } catch (error) {
    log.info(
      { account: found.accountId, code: awsErrorFacts(error).code },
      'account:ListRegions is not available, asking ec2:DescribeRegions',
    );
  }
  const answer = await found.ec2(globalRegion(found.partition)).send(new DescribeRegionsCommand({ AllRegions: false }));
  const names = (answer.Regions ?? []).flatMap((region) =>
    region.RegionName === undefined ? [] : [region.RegionName],
  );
  if (names.length === 0) throw new UpstreamError('aws', 'NotAws', 'AWS named no enabled Region', { retryable: true });
  return names.sort();
}

async function listRegions(found: AwsReader): Promise<readonly string[]> {
  const iam = found.iam as { config?: { credentials?: Credentials } };
  const client = await accountClient(globalRegion(found.partition), {
    credentials: iam.config?.credentials,
    maxAttempts: 2,
  });
  const regions = await everyPage(async (NextToken) => {
    const input = { RegionOptStatusContains: ['ENABLED' as const, 'ENABLED_BY_DEFAULT' as const, 'ENABLING' as const] };
    const page = await client.send(new ListRegionsCommand({ ...input, NextToken }));
    return { items: page.Regions, next: page.NextToken };
  });
  const names = regions.flatMap(({ RegionName }) => RegionName ?? []);
  if (names.length === 0)
    throw new UpstreamError('aws', 'NotAws', 'account:ListRegions named no Region', { retryable: false });
  return names.sort();
}
