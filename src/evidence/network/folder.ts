/** Flow logs and query logs of a folder: for the command line, offline. Told by content, beside CloudTrail files. */
import type { Coverage } from '../../contracts/evidence.ts';
import type { Log } from '../../contracts/log.ts';
import type { DnsRecord, FlowRecord, NetworkLogs } from '../../contracts/network.ts';
import { withGaps } from '../../domain/answers.ts';
import {
  dnsGroups,
  dnsMatches,
  flowGroups,
  flowIdentity,
  flowMatches,
  isoOfSeconds,
  type Places,
  placeFilter,
} from '../../domain/network-groups.ts';
import { listFiles } from '../folder.ts';
import { Held } from '../held.ts';
import { readLogFile } from '../log-file.ts';
import { isParquet, readParquetFlows } from './parquet.ts';
import { type NetworkFile, type NetworkSink, NetworkText } from './text.ts';

export interface FolderNetworkOptions {
  /** A folder, or one file. */
  readonly dir: string;
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  /** Groups kept in memory. */
  readonly maxGroups: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

type Kind = 'flows' | 'dns';

const names: Readonly<Record<Kind, string>> = { flows: 'VPC flow log files', dns: 'Resolver query log files' };

/** Reads the folder once for each question; files that are of no use to it are not opened again. */
export function openFolderNetwork(options: FolderNetworkOptions): NetworkLogs {
  const known = new Map<string, NetworkFile['kind']>();

  async function readAll(kind: Kind, sink: Omit<NetworkSink, 'file'>): Promise<Read> {
    const { files, unreadable } = await listFiles(options.dir);
    const read: NetworkFile[] = [];
    const broken: { path: string; reason: string }[] = [...unreadable];
    for (const { absolute, path, size } of files) {
      options.signal.throwIfAborted();
      const before = known.get(path);
      if (before !== undefined && before !== kind) continue;
      const own: NetworkFile[] = [];
      await readNetworkFile({ absolute, path, size }, { ...sink, file: (file) => own.push(file) }, (reason) =>
        broken.push({ path, reason }),
      );
      const kinds = new Set(own.map((file) => file.kind));
      // An archive may hold both kinds: it is read for either question.
      if (kinds.size <= 1) known.set(path, own[0]?.kind ?? 'other');
      read.push(...own.filter((file) => file.kind === kind));
    }
    return { files: read, broken };
  }

  return {
    async flows(question) {
      const inPlace = placeFilter(placesOf(options));
      const groups = flowGroups(options.maxGroups);
      const held = new Held();
      const copies = new Copies();
      const read = await readAll('flows', {
        flow(flow: FlowRecord) {
          // An interval is at most ten minutes: an end of milliseconds, say, would be in the far future.
          for (const at of [flow.start, Math.min(Math.max(flow.start, flow.end), flow.start + 3_600)])
            held.sawLine(isoOfSeconds(at), flow.accountId, flow.region);
          const isIn = inPlace(flow.start * 1000, flow.accountId, flow.region, flow.end * 1000);
          if (isIn && flowMatches(flow, question) && !copies.has(flow)) groups.add(flow);
        },
        dns: () => undefined,
      });
      const coverage = coverageOf('flows', options, read, groups, held);
      return { groups: groups.list(), coverage: withGaps(coverage, copies.gaps()) };
    },
    async lookups(question) {
      const inPlace = placeFilter(placesOf(options));
      const groups = dnsGroups(options.maxGroups);
      const held = new Held();
      const read = await readAll('dns', {
        flow: () => undefined,
        dns(record: DnsRecord) {
          const at = Date.parse(record.queryTimestamp);
          held.sawLine(record.queryTimestamp, record.accountId, record.region);
          if (inPlace(at, record.accountId, record.region) && dnsMatches(record, question)) groups.add(record);
        },
      });
      return { groups: groups.list(), coverage: coverageOf('dns', options, read, groups, held) };
    },
  };
}

const maxKnown = 2_000_000;

/** Lines that were there before: a folder of evidence has files twice. */
class Copies {
  readonly #known = new Set<string>();
  #isFull = false;

  has(flow: FlowRecord): boolean {
    const identity = flowIdentity(flow);
    if (identity === undefined) return false;
    if (this.#known.has(identity)) return true;
    if (this.#known.size < maxKnown) this.#known.add(identity);
    else this.#isFull = true;
    return false;
  }

  gaps(): readonly string[] {
    return this.#isFull ? [`copies among the flows after the first ${maxKnown}: they may count twice`] : [];
  }
}

function placesOf({ window, accounts, regions }: FolderNetworkOptions): Places {
  return { from: window.from, to: window.to, accounts, regions };
}

interface Read {
  readonly files: readonly NetworkFile[];
  readonly broken: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Account and Region of a path in AWS's delivery tree, hive-style or not, and of the names of its files, which keep them outside the tree too; the
 * default format of flow logs names no Region
 * (https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html).
 */
const deliveryTree =
  /(?:^|\/)AWSLogs\/(?:aws-account-id=)?(\d{12})\/(?:aws-service=)?vpcflowlogs\/(?:aws-region=)?([a-z0-9-]+)\//;
const deliveredFile = /(?:^|\/)(\d{12})_vpcflowlogs_([a-z0-9-]+)_fl-[0-9a-f]+_[^/]*$/;

function placed(sink: NetworkSink, path: string): NetworkSink {
  const [, account = '', region = ''] = deliveryTree.exec(path) ?? deliveredFile.exec(path) ?? [];
  if (region === '') return sink;
  return {
    ...sink,
    flow: (flow) => sink.flow({ ...flow, accountId: flow.accountId || account, region: flow.region || region }),
  };
}

/** Reads one file, or every entry of an archive. `broken` is told what could not be unpacked at all. */
export async function readNetworkFile(
  file: { readonly absolute: string; readonly path: string; readonly size: number },
  to: NetworkSink,
  broken: (reason: string) => void,
): Promise<void> {
  const sink = placed(to, file.path);
  try {
    if (await isParquet(file.absolute)) return await readParquetFlows(file.absolute, file.path, sink);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return broken(`could not be read (${code})`);
  }
  await readLogFile(file.absolute, file.path, file.size, {
    record: () => undefined,
    report: (report) => {
      // Only what was never opened as text is told here: an archive that cannot be unpacked.
      if (report.verdict === 'bad') broken(report.reason ?? 'could not be unpacked');
    },
    full: () => false,
    open: (path) => new NetworkText(path, sink),
  });
}

function coverageOf(
  kind: Kind,
  { window, dir, maxGroups, accounts, regions }: FolderNetworkOptions,
  { files, broken }: Read,
  groups: { lines(): number; left(): number },
  held: Held,
): Coverage {
  const looked = files.length > 0;
  const truncated = groups.left() > 0;
  const skipped = files.reduce((sum, file) => sum + file.skipped, 0);
  const badFiles = [
    ...broken,
    ...files.flatMap(({ path, problem }) => (problem === undefined ? [] : [{ path, reason: problem }])),
  ];
  const what = kind === 'flows' ? 'VPC flow logs' : 'Resolver query logs';
  // Lines beyond a cap were seen too.
  const lacks = [...held.lacks({ window, accounts, regions }), ...held.holes({ window, accounts })];
  const notLookedAt = [
    ...lacks,
    ...(looked ? [] : [`no ${what} found in ${dir}`]),
    ...(truncated ? [`${groups.left()} lines beyond the first ${maxGroups} groups`] : []),
    ...(skipped > 0 ? [`${skipped} intervals that AWS itself could not record in full (SKIPDATA)`] : []),
  ];
  return {
    complete: looked && badFiles.length === 0 && !truncated && skipped === 0 && lacks.length === 0,
    accounts: held.accounts,
    regions: held.regions,
    from: window.from ?? held.first,
    to: window.to ?? held.last,
    sources: [
      {
        name: names[kind],
        events: groups.lines(),
        pages: files.length,
        truncated,
        failed: !looked,
        ...(looked ? {} : { reason: `no ${what} found` }),
        ...(truncated ? { reason: `stopped at ${maxGroups} groups` } : {}),
      },
    ],
    badFiles,
    notLookedAt,
  };
}
