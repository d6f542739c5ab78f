/** The only place that constructs clients. Config in, ports out. */
import { mkdir } from 'node:fs/promises';
import { openReach } from './aws/reach.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { AddressBook } from './contracts/address.ts';
import type { AwsReach } from './contracts/aws.ts';
import type { Chat } from './contracts/chat.ts';
import type { Evidence, Window } from './contracts/evidence.ts';
import type { Pictures } from './contracts/investigation.ts';
import type { Queue } from './contracts/job.ts';
import type { Log } from './contracts/log.ts';
import type { Store } from './contracts/store.ts';
import { openAddressBook } from './evidence/address-book.ts';
import { openFolderEvidence } from './evidence/folder.ts';
import { openLookupEvidence } from './evidence/lookup.ts';
import type { OpenEvidence, Settings } from './flows/deps.ts';
import { openPictures } from './pictures/pictures.ts';
import { openQueue } from './queue/queue.ts';
import { openChat } from './slack/chat.ts';
import { openEmbeddedPostgres, type Role } from './store/embedded-postgres.ts';
import { openStore } from './store/store.ts';

export interface Stored {
  readonly store: Store;
  readonly connectionString: string;
  close(): Promise<void>;
}

/** The database: the operator's own, or the embedded one, in which this process holds the given roles. */
export async function connectStore(config: Config, roles: readonly Role[], log: Log): Promise<Stored> {
  const external = config.databaseUrl?.reveal();
  const applicationName = `firebreak ${roles.join('+') || 'command'}`;
  if (external !== undefined) {
    const store = await openStore({ connectionString: external, log, applicationName });
    return { store, connectionString: external, close: () => store.close() };
  }
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const server = await openEmbeddedPostgres({ dataDir: config.dataDir, roles, log });
  try {
    const store = await openStore({ connectionString: server.connectionString, log, applicationName });
    return {
      store,
      connectionString: server.connectionString,
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
  return openAddressBook({ countryFile: config.addresses.country, asnFile: config.addresses.asn, log });
}

export function connectPictures(log: Log): Pictures {
  return openPictures({ log });
}

/** LookupEvents, at a pace that all processes share through `reserveSlot`. */
export function lookupEvidence(reach: AwsReach, reserveSlot: Store['reserveSlot'], log: Log): OpenEvidence {
  return async (request) =>
    openLookupEvidence({
      reach,
      accounts: request.accounts ?? (await reach.accounts()),
      regions: request.regions,
      window: request.window,
      budget: { maxRequests: request.maxRequests, maxEvents: request.maxEvents },
      reserveSlot,
      clock: systemClock,
      signal: request.signal,
      onProgress: request.onProgress,
      log,
    });
}

/** A folder of CloudTrail files: no AWS, no store, no lock. */
export function folderEvidence(input: {
  dir: string;
  window: Partial<Window>;
  maxEvents: number;
  accounts: readonly string[] | undefined;
  regions: readonly string[] | undefined;
  log: Log;
}): Promise<Evidence> {
  return openFolderEvidence(input);
}

/** The part of the config that the flows decide by. */
export function settingsOf(config: Config): Settings {
  return {
    mode: config.mode,
    channels: { ...config.channels, default: config.channels.default ?? '' },
    accounts: config.accounts,
    managementAccount: config.managementAccount,
    rules: { approvers: config.approvers, responders: config.responders, people: config.people },
    approvals: { required: config.approvers.required, expiryMinutes: config.approvers.expiryMinutes },
    protectedPatterns: config.protected,
    pivot: config.pivot,
    hubs: config.hubs,
  };
}
