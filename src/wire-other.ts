/** Wires the sources beside CloudTrail: flow logs, query logs, sign-in logs, Athena. A part of wire.ts, loaded with it. */
import type { Config } from './config.ts';
import type { AwsReach } from './contracts/aws.ts';
import type { Window } from './contracts/evidence.ts';
import type { Log } from './contracts/log.ts';
import type { NetworkLogs } from './contracts/network.ts';
import type { OtherSources } from './contracts/other-sources.ts';
import type { OpenOther } from './flows/deps.ts';

/** Groups of one answer that are kept in memory. */
const maxGroups = 200_000;

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

/** The lake, and Athena where the config names it. */
export function otherSources(config: Config, _reach: AwsReach, log: Log): OpenOther {
  return async (request) => {
    const inventory = config.accounts.map((account) => account.id);
    const accounts = request.accounts ?? (inventory.length > 0 ? inventory : undefined);
    const { window, regions, signal } = request;
    return {
      network: late(async () =>
        (await import('./evidence/network/plan.ts')).planNetwork(
          { dataDir: config.dataDir, window, accounts, regions, maxGroups, log, signal },
          {},
        ),
      ),
      people: await peopleOf(config),
    };
  };
}
