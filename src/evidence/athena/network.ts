/** Flows and lookups from Athena: one query per question, put together there. */
import type { AthenaQuestions, AthenaRows, AthenaScope, AthenaStatement } from '../../contracts/athena.ts';
import { UpstreamError, UserError } from '../../contracts/errors.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { FlowGroup, NetworkLogs } from '../../contracts/network.ts';
import { few, withGaps } from '../../domain/answers.ts';
import { nothingOf, silentAccounts } from '../../domain/athena/heard.ts';
import { dnsStatement, flowStatement } from '../../domain/athena/queries.ts';
import { dnsGroupOf, flowGroupOf } from '../../domain/athena/rows.ts';
import type { AthenaSettings } from '../../domain/athena/settings.ts';
import { costText } from '../../domain/athena/words.ts';

/** Only for the tables that the config names. */
export function athenaNetwork(
  athena: AthenaQuestions,
  settings: AthenaSettings,
  signal: AbortSignal,
  maxGroups: number,
): Partial<NetworkLogs> {
  return {
    ...(settings.tables.flowLogs === undefined
      ? {}
      : {
          flows: async (question) => {
            const told = await ask('VPC flow logs', athena, settings, signal, (scope) =>
              flowStatement(settings, scope, question, maxGroups),
            );
            const cell = (cells: Cells, name: string) => cells[(told.columns as readonly string[]).indexOf(name)];
            const isSkipped = (cells: Cells) => cell(cells, 'isskipped') === 'true';
            const groupsOf = (rows: readonly Cells[]) => rows.map((cells) => flowGroupOf(told.columns, cells));
            const groups = groupsOf(
              told.rows.filter((cells) => !isSkipped(cells) && cell(cells, 'iswanted') !== 'false'),
            );
            const skipped = countOf(groupsOf(told.rows.filter(isSkipped)));
            const gaps =
              skipped === 0 ? [] : [`${skipped} intervals that AWS itself could not record in full (SKIPDATA)`];
            return { groups, coverage: withGaps(heardOf(groupsOf(told.rows), told.coverage(countOf(groups))), gaps) };
          },
        }),
    ...(settings.tables.dns === undefined
      ? {}
      : {
          lookups: async (question) => {
            const told = await ask('Resolver query logs', athena, settings, signal, (scope) =>
              dnsStatement(settings, scope, question, maxGroups),
            );
            const groups = told.rows.map((cells) => dnsGroupOf(told.columns, cells));
            const events = groups.reduce((sum, { times }) => sum + times, 0);
            // Query logs of other VPCs are in no partition of the table.
            const vpcs = settings.dnsVpcs;
            const gaps = vpcs.length === 0 ? [] : [`query logs of VPCs other than ${few(vpcs)} (athena.dnsVpcs)`];
            const isWhole = question.vpcs.length > 0 && question.vpcs.every((vpc) => vpcs.includes(vpc));
            const covered = (more = 0) => withGaps(told.coverage(events, more), isWhole ? [] : gaps);
            // Of an instance, an address or a VPC who asks finds that there is no query at all.
            if (question.domains.length === 0 || told.failed) return { groups, coverage: covered() };
            const heard = new Set(groups.map(({ accountId }) => accountId));
            const asked = await silentAccounts({ athena, signal }, 'dns', told.scope, heard);
            const coverage = covered(asked.bytes);
            const accounts = coverage.accounts.filter((account) => !asked.silent.includes(account));
            return { groups, coverage: withGaps({ ...coverage, accounts }, asked.gaps) };
          },
        }),
  };
}

type Cells = readonly (string | undefined)[];

/** Only places that there are lines of were looked at. */
function heardOf(lines: readonly FlowGroup[], coverage: Coverage): Coverage {
  if (coverage.sources.some((source) => source.failed)) return coverage;
  const heard = (name: 'accountId' | 'region') => new Set(lines.map((line) => line[name]));
  const [accounts, regions] = [heard('accountId'), heard('region')];
  const silent = coverage.accounts.filter((account) => !accounts.has(account));
  return withGaps(
    {
      ...coverage,
      accounts: coverage.accounts.filter((account) => accounts.has(account)),
      regions: coverage.regions.filter((region) => regions.has(region)),
    },
    silent.map((account) => nothingOf('flowLogs', account)),
  );
}

function countOf(groups: readonly FlowGroup[]): number {
  return groups.reduce((sum, { flows }) => sum + flows, 0);
}

async function ask(
  what: string,
  athena: AthenaQuestions,
  settings: AthenaSettings,
  signal: AbortSignal,
  statementOf: (scope: AthenaScope) => AthenaStatement,
) {
  const name = `${what} in Athena`;
  let scope: AthenaScope = { accounts: [], regions: [], from: '', to: '' };
  try {
    scope = await athena.scope();
    const answer = await athena.ask(statementOf(scope));
    const coverage = (events: number, more = 0) =>
      coverageOf(name, scope, { ...answer, bytes: answer.bytes + more }, events, settings);
    return { ...answer, scope, failed: false, coverage };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError || error instanceof UpstreamError)) throw error;
    return { columns: [], rows: [], scope, failed: true, coverage: () => failedCoverage(name, scope, error.message) };
  }
}

function coverageOf(
  name: string,
  { accounts, regions, from, to }: AthenaScope,
  { truncated, rows, bytes }: AthenaRows,
  events: number,
  settings: AthenaSettings,
): Coverage {
  const cut = truncated ? `stopped at ${rows.length} groups; ` : '';
  return {
    complete: !truncated,
    ...{ accounts, regions, from, to },
    sources: [{ name, events, pages: 1, truncated, failed: false, reason: `${cut}${costText(bytes, settings)}` }],
    badFiles: [],
    notLookedAt: truncated ? [`groups after the first ${rows.length}`] : [],
  };
}

/** What a question that could not be asked leaves: nothing was looked at. */
function failedCoverage(name: string, { accounts, regions, from, to }: AthenaScope, reason: string): Coverage {
  return {
    complete: false,
    ...{ accounts, regions, from, to },
    sources: [{ name, events: 0, pages: 0, truncated: false, failed: true, reason }],
    badFiles: [],
    notLookedAt: [`${name}: ${reason}`],
  };
}
