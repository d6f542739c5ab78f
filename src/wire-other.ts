/** Wires the sources beside CloudTrail: flow logs, query logs, sign-in logs, Athena. A part of wire.ts, loaded with it. */
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { AthenaLedger, AthenaQuestions } from './contracts/athena.ts';
import type { AwsReach } from './contracts/aws.ts';
import { asError, UpstreamError, UserError } from './contracts/errors.ts';
import type { Evidence, Window } from './contracts/evidence.ts';
import type { Log } from './contracts/log.ts';
import type { NetworkLogs } from './contracts/network.ts';
import type { OtherSources } from './contracts/other-sources.ts';
import type { AthenaSettings } from './domain/athena/settings.ts';
import { awsErrorFacts } from './domain/aws-errors.ts';
import type { PassOptions } from './evidence/athena/pass.ts';
import type { RulesPass } from './evidence/athena/rules-pass.ts';
import type { EvidenceRequest, OpenOther } from './flows/deps.ts';

/** Groups of one answer that are kept in memory. */
const maxGroups = 200_000;
/** Results come by pages of 1,000 rows. */
const athenaGroups = 20_000;
const athenaRecords = 500_000;

/** Nothing is read before a question is asked, and DuckDB is loaded by the first one. */
function late(open: () => Promise<NetworkLogs>): NetworkLogs {
  let opening: Promise<NetworkLogs> | undefined;
  const logs = () => {
    opening ??= open();
    return opening;
  };
  return {
    flows: async (question) => (await logs()).flows(question),
    lookups: async (question) => (await logs()).lookups(question),
  };
}

async function peopleOf(config: Config) {
  const { openPeople } = await import('./evidence/network/people.ts');
  return openPeople(config.signInLogs);
}

/** From a folder of log files; sign-in logs come from where the config says. */
export async function folderOther(
  config: Config,
  input: {
    readonly dir: string;
    readonly window: Partial<Window>;
    readonly accounts: readonly string[] | undefined;
    readonly regions: readonly string[] | undefined;
    readonly signal: AbortSignal;
    readonly log: Log;
  },
): Promise<OtherSources> {
  return {
    network: late(async () =>
      (await import('./evidence/network/folder.ts')).openFolderNetwork({ ...input, maxGroups }),
    ),
    people: await peopleOf(config),
  };
}

/** The lake, and Athena where the config names it. Without a ledger (no database) the data folder keeps count. */
export function otherSources(config: Config, reach: AwsReach, log: Log, ledger?: AthenaLedger): OpenOther {
  return async (request) => {
    const inventory = config.accounts.map((account) => account.id);
    const accounts = request.accounts ?? (inventory.length > 0 ? inventory : undefined);
    const { window, regions, signal } = request;
    const athena = config.athena && (await connectAthena(config, config.athena, reach, request, ledger, log));
    return {
      network: late(async () => {
        const { planNetwork } = await import('./evidence/network/plan.ts');
        const { athenaNetwork } = await import('./evidence/athena/network.ts');
        const outside = athena && config.athena ? athenaNetwork(athena, config.athena, signal, athenaGroups) : {};
        return planNetwork({ dataDir: config.dataDir, window, accounts, regions, maxGroups, log, signal }, outside);
      }),
      people: await peopleOf(config),
      athena,
    };
  };
}

const daysOfHistory = 90;

/** Opens CloudTrail through Athena; undefined where the config does not want it for this window. */
export function athenaPass(
  config: Config,
  reach: AwsReach,
  request: EvidenceRequest,
  ledger: AthenaLedger | undefined,
  log: Log,
): (() => Promise<Evidence>) | undefined {
  const settings = config.athena;
  if (settings?.tables.cloudtrail === undefined) return undefined;
  const horizon = systemClock.now().getTime() - daysOfHistory * 86_400_000;
  if (settings.useFor === 'beyond-90-days' && Date.parse(request.window.from) >= horizon) return undefined;
  return async () => {
    const { athenaEvidence } = await import('./evidence/athena/pass.ts');
    return athenaEvidence(await passOptions(config, settings, reach, request, ledger, log));
  };
}

/** Opens Athena for the rules of a hunt, for any window; undefined where the config names no CloudTrail table. */
export function athenaRules(
  config: Config,
  reach: AwsReach,
  request: EvidenceRequest,
  ledger: AthenaLedger | undefined,
  log: Log,
): ((window: EvidenceRequest['window']) => Promise<RulesPass>) | undefined {
  const settings = config.athena;
  if (settings?.tables.cloudtrail === undefined) return undefined;
  return async (window) => {
    const { rulesPass } = await import('./evidence/athena/rules-pass.ts');
    return rulesPass(await passOptions(config, settings, reach, { ...request, window }, ledger, log));
  };
}

async function passOptions(
  config: Config,
  settings: AthenaSettings,
  reach: AwsReach,
  request: EvidenceRequest,
  ledger: AthenaLedger | undefined,
  log: Log,
): Promise<PassOptions> {
  return {
    athena: await connectAthena(config, settings, reach, request, ledger, log),
    settings,
    dataDir: config.dataDir,
    maxEvents: Math.min(request.maxEvents, athenaRecords),
    isEveryRegion: request.regions === undefined,
    now: () => systemClock.now(),
    log,
    signal: request.signal,
  };
}

async function connectAthena(
  config: Config,
  settings: AthenaSettings,
  reach: AwsReach,
  request: EvidenceRequest,
  ledger: AthenaLedger | undefined,
  log: Log,
): Promise<AthenaQuestions> {
  const { openAthena } = await import('./aws/athena.ts');
  const { fileLedger } = await import('./evidence/athena/ledger.ts');
  const { signal } = request;
  return openAthena({
    settings,
    client: async () => (await reach.reader(settings.accountId)).athena(settings.region),
    async scope() {
      const inventory = config.accounts.map((account) => account.id);
      const accounts = request.accounts ?? (inventory.length > 0 ? inventory : await reach.accounts());
      const regions = request.regions ?? (await regionsOf(accounts, reach, signal));
      return { accounts, regions, from: request.window.from, to: request.window.to };
    },
    async estimate(statement) {
      const { estimateOf } = await import('./aws/athena-estimate.ts');
      return estimateOf(statement, settings, { region: config.awsRegion, pathStyle: config.s3PathStyle, signal, log });
    },
    ledger: ledger ?? fileLedger(config.dataDir),
    caseId: request.caseId,
    clock: systemClock,
    log,
    signal,
  });
}

/** Enabled Regions of the accounts, each once. Throws UpstreamError, which names the account, where they cannot be told. */
async function regionsOf(
  accounts: readonly string[],
  reach: AwsReach,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const asked = accounts.map(async (account) => {
    try {
      return await reach.regions(account);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError || error instanceof UpstreamError) throw error;
      const { code, retryable } = awsErrorFacts(asError(error));
      const sentence = `the Regions of account ${account} cannot be told (${code})`;
      throw new UpstreamError('aws', code, sentence, { retryable, cause: error });
    }
  });
  return [...new Set((await Promise.all(asked)).flat())];
}
