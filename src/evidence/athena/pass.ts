/** CloudTrail from Athena: one pass into the lake, and the lake answers from then on. Never a rescan per hop. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { AthenaQuestions, AthenaScope } from '../../contracts/athena.ts';
import type { CoverageSource, Evidence } from '../../contracts/evidence.ts';
import type { Log } from '../../contracts/log.ts';
import { nothingOf } from '../../domain/athena/heard.ts';
import { trailColumns, trailPass } from '../../domain/athena/queries.ts';
import type { AthenaSettings } from '../../domain/athena/settings.ts';
import { costText } from '../../domain/athena/words.ts';
import { openLakeEvidence } from '../lake/lake.ts';
import { lakeFolder, writePage } from '../lake/pages.ts';
import { intoLake, recordsOfRows } from './into-lake.ts';

export interface PassOptions {
  readonly athena: AthenaQuestions;
  readonly settings: AthenaSettings;
  readonly dataDir: string;
  readonly maxEvents: number;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The scope has every Region that is enabled, so that later questions without Regions are covered too. */
  readonly isEveryRegion: boolean;
}

/**
 * Asks once for everything in the scope, writes it into the lake and opens the lake. Throws UserError or UpstreamError where
 * Athena could not be asked: nothing is in the lake then.
 */
export async function athenaEvidence(options: PassOptions): Promise<Evidence> {
  const { athena, settings, dataDir, signal, log, now } = options;
  const scope = await athena.scope();
  const startedAt = now().toISOString();
  const answer = await athena.ask(trailPass(settings, scope, options.maxEvents));
  signal.throwIfAborted();
  const { records, lost } = recordsOfRows(answer);
  await intoLake(records, options);
  const lastTime = answer.rows.at(-1)?.[trailColumns.indexOf('eventtime')];
  // Oldest first: what was cut off is later than the last, whose second may be cut in the middle.
  const to = answer.truncated && lastTime !== undefined ? lastTime : scope.to;
  // An account that does anything at all has records: without one its trail may end in another bucket, or it has none.
  const heard = new Set(
    records.map(({ recipientAccountId, userIdentity }) => recipientAccountId ?? userIdentity.accountId),
  );
  const silent = scope.accounts.filter((account) => !heard.has(account));
  const vouched = scope.accounts.filter((account) => heard.has(account));
  if (vouched.length > 0) await vouch({ ...scope, accounts: vouched, to }, startedAt, options);
  log.info({ records: records.length, bytes: answer.bytes }, 'Athena filled the lake');
  const { from, accounts, regions } = scope;
  const lake = await openLakeEvidence({
    dataDir,
    window: { from, to: scope.to },
    ...{ accounts, regions, maxEvents: options.maxEvents, log, signal },
  });
  const cut = answer.truncated ? `stopped at ${records.length} records, up to ${to}; ` : '';
  const source: CoverageSource = {
    name: `CloudTrail in Athena (${settings.database}.${settings.tables.cloudtrail ?? ''})`,
    events: records.length,
    pages: 1,
    truncated: answer.truncated,
    failed: false,
    reason: `${cut}${costText(answer.bytes, settings)}`,
  };
  return {
    recordsOf: (artifact) => lake.recordsOf(artifact),
    ...(lake.all ? { all: lake.all.bind(lake) } : {}),
    ...(lake.holding ? { holding: lake.holding.bind(lake) } : {}),
    ...(lake.addressUse ? { addressUse: lake.addressUse.bind(lake) } : {}),
    progress: () => lake.progress(),
    coverage: () => {
      const told = lake.coverage();
      // The records are told once, as the lake's: Athena's line tells where they came from and what that cost.
      return {
        ...told,
        complete: told.complete && !answer.truncated && lost === 0 && silent.length === 0,
        notLookedAt: [
          ...told.notLookedAt,
          ...silent.map((account) => nothingOf('cloudtrail', account)),
          ...(lost === 0 ? [] : [`${lost} rows of Athena that are no CloudTrail records`]),
        ],
        sources: [{ ...source, events: 0 }, ...told.sources],
      };
    },
  };
}

/** A finished import tells only of times that it has records of; a query tells of all that it was asked for. */
async function vouch(
  scope: AthenaScope,
  startedAt: string,
  { dataDir, now, isEveryRegion }: PassOptions,
): Promise<void> {
  const folder = lakeFolder(dataDir);
  await mkdir(folder.runs, { recursive: true, mode: 0o700 });
  const name = `${startedAt.replaceAll(/[:.]/g, '-')}-athena-${randomBytes(4).toString('hex')}.json`;
  await writePage(folder.runs, name, {
    version: 1,
    source: 'athena',
    startedAt,
    finishedAt: now().toISOString(),
    from: scope.from,
    to: scope.to,
    onlyAccounts: [...scope.accounts],
    ...(isEveryRegion ? {} : { onlyRegions: [...scope.regions] }),
    accounts: [...scope.accounts],
    regions: [...scope.regions],
    unreadable: [],
    digests: { found: 0, signature: '', problems: [] },
  });
}
