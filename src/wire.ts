/** The only place that constructs clients. Config in, ports out. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { openFindings } from './aws/findings.ts';
import { openOrganization } from './aws/organization.ts';
import { auditCredentials, openReach } from './aws/reach.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { AddressBook } from './contracts/address.ts';
import type { AthenaLedger } from './contracts/athena.ts';
import type { AwsReach } from './contracts/aws.ts';
import type { Past } from './contracts/baseline.ts';
import type { Chat } from './contracts/chat.ts';
import { asError, SetupError, UserError } from './contracts/errors.ts';
import type { Evidence, Window } from './contracts/evidence.ts';
import type { FindingSource, MessageQueue, SubscriptionConfirmer } from './contracts/intake.ts';
import type { Pictures } from './contracts/investigation.ts';
import type { Queue } from './contracts/job.ts';
import type { LakeWatch } from './contracts/lake-watch.ts';
import type { Log } from './contracts/log.ts';
import type { Pager } from './contracts/pager.ts';
import type { Store } from './contracts/store.ts';
import type { AccountBook } from './contracts/surroundings.ts';
import type { QueueSettings } from './domain/queue-entry.ts';
import { openAccountBook } from './evidence/account-book.ts';
import { openAddresses } from './evidence/address-lists.ts';
import { listFiles, openFolderEvidence } from './evidence/folder.ts';
import type { ImportOptions, ImportResult } from './evidence/lake/import.ts';
import { openLakeWatch } from './evidence/lake/watch.ts';
import { openLookupEvidence } from './evidence/lookup.ts';
import { type LookupMemory, openLookupMemory } from './evidence/lookup-memory.ts';
import type { NetworkImportResult } from './evidence/network/import.ts';
import { planEvidence } from './evidence/plan.ts';
import { openScanEvidence } from './evidence/scan.ts';
import type { OpenEvidence } from './flows/deps.ts';
import { openPager } from './pager/pager.ts';
import { openPictures } from './pictures/pictures.ts';
import { openQueue } from './queue/queue.ts';
import { openChat } from './slack/chat.ts';
import { openEmbeddedPostgres, type Role } from './store/embedded-postgres.ts';
import { openStore } from './store/store.ts';
import { connectPast } from './wire-past.ts';

export interface Stored {
  readonly store: Store;
  readonly connectionString: string;
  /** True where no other process has one of our roles on this database: whatever is half done was left by a dead one. */
  readonly alone: boolean;
  close(): Promise<void>;
}

/** The database: the operator's own, or the embedded one, in which this process holds the given roles. */
/** `onlyCurrent`: an older database is refused instead of being brought up to date. */
export async function connectStore(
  config: Config,
  roles: readonly Role[],
  log: Log,
  { onlyCurrent = false } = {},
): Promise<Stored> {
  const external = config.databaseUrl?.reveal();
  const applicationName = `firebreak ${roles.join('+') || 'command'}`;
  if (external !== undefined) {
    const store = await openStore({ connectionString: external, log, applicationName, onlyCurrent });
    return { store, connectionString: external, alone: false, close: () => store.close() };
  }
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const server = await openEmbeddedPostgres({ dataDir: config.dataDir, roles, log });
  try {
    const store = await openStore({ connectionString: server.connectionString, log, applicationName, onlyCurrent });
    return {
      store,
      connectionString: server.connectionString,
      alone: true,
      async close() {
        await store.close();
        await server.release();
      },
    };
  } catch (error) {
    await server.release();
    throw error;
  }
}

export function connectQueue(config: Config, connectionString: string, log: Log): Promise<Queue> {
  const redis = config.redisUrl?.reveal();
  return openQueue({
    backend: redis === undefined ? { kind: 'postgres', connectionString } : { kind: 'redis', url: redis },
    log,
  });
}

export function connectChat(config: Config, log: Log): Promise<Chat> {
  const token = config.slack.botToken?.reveal() ?? '';
  return openChat({ token, apiUrl: config.slack.apiUrl, log, clock: systemClock });
}

export function connectReach(config: Config, log: Log): AwsReach {
  return openReach({ accounts: config.accounts, regions: config.regions, region: config.awsRegion, log });
}

export function connectAddresses(config: Config, log: Log): Promise<AddressBook> {
  return openAddresses(config.addresses, log);
}

/** The inventory. Without `reach` nobody is asked: the config and the files alone. */
export function connectAccounts(config: Config, reach: AwsReach | undefined, log: Log): Promise<AccountBook> {
  const asks = reach !== undefined && config.inventory.organizations;
  const organization = asks ? openOrganization(reach, config.managementAccount) : undefined;
  return openAccountBook({ accounts: config.accounts, inventory: config.inventory, organization, log });
}

export function connectPager(config: Config, log: Log): Pager {
  return openPager({ pagers: config.escalation.pagers, secrets: config.pagerSecrets, log });
}

/** The pinned certificates of `sns.certificates`. Throws SetupError for a file that cannot be read. */
export function readCertificates(config: Config): readonly { url: string | undefined; pem: string }[] {
  return config.sns.certificates.map((entry) => {
    const { url, certificate } = typeof entry === 'string' ? { url: undefined, certificate: entry } : entry;
    if (certificate.includes('-----BEGIN')) return { url, pem: certificate };
    try {
      return { url, pem: readFileSync(resolve(dirname(config.configPath), certificate), 'utf8') };
    } catch (error) {
      throw new SetupError([`sns.certificates: ${certificate} cannot be read: ${asError(error).message}`]);
    }
  });
}

/** GuardDuty's own findings, through the audit roles. */
export function connectFindings(reach: AwsReach): FindingSource {
  return openFindings(reach);
}

/** Confirms SNS subscriptions; the SDK's client is loaded with the first one. */
export const connectConfirmer: SubscriptionConfirmer = {
  confirm: async (topicArn, token) =>
    (await import('./aws/subscriptions.ts')).subscriptionConfirmer.confirm(topicArn, token),
};

/** The queues of the config, each with its own role where it has one. */
export async function connectMessageQueues(config: Config): Promise<readonly MessageQueue[]> {
  if (config.queues.length === 0) return [];
  const { openMessageQueue } = await import('./aws/queues.ts');
  return config.queues.map((entry) => openMessageQueue(entry, queueCredentials(entry)));
}

export function queueCredentials({ role, externalId, region }: QueueSettings) {
  return role === undefined ? undefined : auditCredentials(role, externalId, region);
}

export function connectPictures(log: Log): Pictures {
  return openPictures({ log });
}

export function connectLakeWatch(config: Config, log: Log): LakeWatch {
  return openLakeWatch(config.dataDir, log);
}

/** LookupEvents, at a pace that all processes share through `reserveSlot`; nothing that it answered once is asked again. */
function lookupEvidence(
  reach: AwsReach,
  reserveSlot: Store['reserveSlot'],
  memory: LookupMemory,
  log: Log,
): OpenEvidence {
  return async (request) =>
    openLookupEvidence({
      reach,
      accounts: request.accounts ?? (await reach.accounts()),
      regions: request.regions,
      window: request.window,
      budget: { maxRequests: request.maxRequests, maxEvents: request.maxEvents },
      reserveSlot,
      memory,
      clock: systemClock,
      signal: request.signal,
      onProgress: request.onProgress,
      log,
    });
}

/** The lake where it covers the question, else LookupEvents. */
export function plannedEvidence(
  config: Config,
  reach: AwsReach,
  reserveSlot: Store['reserveSlot'],
  log: Log,
  ledger?: AthenaLedger,
): OpenEvidence {
  const openLookup = lookupEvidence(reach, reserveSlot, openLookupMemory(config.dataDir, log), log);
  return async (request) => {
    const { athenaPass, athenaRules } = await import('./wire-other.ts');
    const inventory = config.accounts.map((account) => account.id);
    const accounts = request.accounts ?? (inventory.length > 0 ? inventory : undefined);
    return planEvidence(
      { ...request, accounts },
      {
        dataDir: config.dataDir,
        log,
        past: connectPast(config, log),
        openLookup: (window) => openLookup({ ...request, window }),
        openAthena: athenaPass(config, reach, { ...request, accounts }, ledger, log),
        openRules: athenaRules(config, reach, { ...request, accounts }, ledger, log),
      },
    );
  };
}

/** Packed; in memory they take twenty times as much. */
const inMemoryBytes = 32 * 1024 * 1024;

/** A folder of CloudTrail files: no AWS, no store, no lock. A large one is scanned for each question. */
export async function folderEvidence(input: {
  dir: string;
  window: Partial<Window>;
  maxEvents: number;
  accounts: readonly string[] | undefined;
  regions: readonly string[] | undefined;
  log: Log;
}): Promise<Evidence> {
  const { files, unreadable, links } = await listFiles(input.dir);
  const isLarge = files.reduce((sum, { size }) => sum + size, 0) > inMemoryBytes;
  // Links are told by the source that reads everything.
  return isLarge && links.length === 0 ? openScanEvidence({ ...input, files, unreadable }) : openFolderEvidence(input);
}

/** Logs of a folder or bucket into the lake, CloudTrail first, then what is beside it: no Slack, no database. */
export async function importIntoLake(
  config: Config,
  asked: Pick<ImportOptions, 'selection' | 'digestKeys' | 'signal' | 'onProgress' | 'log'> & { readonly place: string },
): Promise<ImportResult & { readonly network: NetworkImportResult; readonly otherFiles: readonly string[] }> {
  const { place, ...options } = asked;
  // DuckDB and the S3 client take 200 ms to load, which no other process has to wait for.
  const { openS3Objects, parseS3Url } = await import('./aws/s3-objects.ts');
  const { folderSource } = await import('./evidence/lake/folder-source.ts');
  const { importLogs } = await import('./evidence/lake/import.ts');
  const bucket = parseS3Url(place);
  if (bucket === undefined && place.startsWith('s3:'))
    throw new UserError(`"${place.slice(0, 100)}" is no address of a bucket.`, 'Write s3://bucket/prefix.');
  const source = bucket
    ? openS3Objects(bucket, { region: config.awsRegion, pathStyle: config.s3PathStyle })
    : folderSource(place);
  const input = { ...options, source, dataDir: config.dataDir, now: () => systemClock.now() };
  const result = await importLogs(input);
  const { importNetwork } = await import('./evidence/network/import.ts');
  const { otherFilesOf } = await import('./evidence/lake/pages.ts');
  const candidates = await otherFilesOf(config.dataDir, source.name);
  const network = await importNetwork({ ...input, candidates });
  // Of a large one the worker or the first hunt takes care: an import is to take no longer for it.
  if (result.records <= mostAtOnce) await keepPast(connectPast(config, asked.log), asked);
  return { ...result, network, otherFiles: [...candidates].sort() };
}

const mostAtOnce = 20_000;

/** What was imported is safe by now: where the baselines cannot be brought up to date, the worker or the next hunt does it. */
async function keepPast(past: Past, { signal, log }: Pick<ImportOptions, 'signal' | 'log'>): Promise<void> {
  try {
    if ((await past.lacks()) <= mostAtOnce) await past.update(signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ error: asError(error) }, 'the baselines could not be brought up to date after the import');
  }
}
