/** Reads flow logs and query logs of a source into the network side of the lake; what is there already is skipped. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import type { DnsRecord, FlowRecord } from '../../contracts/network.ts';
import { placeFilter } from '../../domain/network-groups.ts';
import { asFullDisk, takeLock } from '../lake/guard.ts';
import type { Selection } from '../lake/layout.ts';
import { flush, lakeFolder, makeLakeFolder, writePage } from '../lake/pages.ts';
import { readNetworkFile } from './folder.ts';
import { makeNetworkFolder, type NetworkFolder, type NetworkPage, networkFolder, readNetworkPages } from './pages.ts';
import { PartWriter } from './part.ts';
import type { NetworkFile } from './text.ts';

export interface NetworkImportOptions {
  readonly source: LogSource;
  readonly dataDir: string;
  readonly selection: Selection;
  /** Which of the source's objects to look into: those that are no CloudTrail logs. */
  readonly candidates: ReadonlySet<string>;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface NetworkImportResult {
  readonly files: number;
  readonly skipped: number;
  readonly flows: number;
  readonly lookups: number;
  readonly bad: readonly { readonly path: string; readonly reason: string }[];
  /** Of no use to either kind. */
  readonly others: number;
}

/** Rows of one part: DuckDB sorts them in memory. */
const partRows = 2_000_000;

/**
 * Imports every candidate that holds flows or lookups. All or nothing: parts count once the page is there. Throws UserError
 * where another import runs, the source cannot be read or the disk is full.
 */
export async function importNetwork(options: NetworkImportOptions): Promise<NetworkImportResult> {
  const folder = networkFolder(options.dataDir);
  const lake = lakeFolder(options.dataDir);
  await makeLakeFolder(lake);
  const lost = new AbortController();
  const release = await takeLock(lake, () => lost.abort(new UserError('The import lost its lock.', 'Run it again.')));
  try {
    await rm(folder.temp, { recursive: true, force: true });
    await makeNetworkFolder(folder);
    return await run({ ...options, signal: AbortSignal.any([options.signal, lost.signal]) }, folder);
  } catch (error) {
    throw await asFullDisk(error, lake);
  } finally {
    await release();
  }
}

async function run(options: NetworkImportOptions, folder: NetworkFolder): Promise<NetworkImportResult> {
  const { source, selection, candidates, signal, now } = options;
  const { pages } = await readNetworkPages(folder);
  const before = pages.flatMap((page) => page.files.map((file) => ({ ...file, source: page.source })));
  const hashes = new Set(before.map((file) => file.sha256));
  const versions = new Set(before.flatMap((file) => (file.etag ? [`${file.source}\n${file.path}\n${file.etag}`] : [])));
  const name = `${now().toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
  const writers = { flows: new PartWriter(folder, name, 'flows'), dns: new PartWriter(folder, name, 'dns') };
  const files: NetworkPage['files'] = [];
  const bad: { path: string; reason: string }[] = [];
  let [skipped, others] = [0, 0];
  try {
    const note = (path: string, reason: string) => {
      bad.push({ path, reason });
    };
    for await (const object of source.list((path) => candidates.has(path), note, signal)) {
      signal.throwIfAborted();
      if (object.etag && versions.has(`${source.name}\n${object.path}\n${object.etag}`)) {
        skipped += 1;
        continue;
      }
      const local = await localFile(source, object, folder, signal);
      try {
        const sha256 = await hashOf(local.file);
        if (hashes.has(sha256) || (await isOutside({ ...object, absolute: local.file }, selection))) {
          skipped += 1;
          continue;
        }
        hashes.add(sha256);
        const read: NetworkFile[] = [];
        const broken: string[] = [];
        await readNetworkFile(
          { absolute: local.file, path: object.path, size: object.size },
          {
            flow: (flow) => writers.flows.flow(flow),
            dns: (record) => writers.dns.dns(record),
            file: (file) => read.push(file),
          },
          (reason) => broken.push(reason),
        );
        const problems = [...broken, ...read.flatMap((one) => one.problem ?? [])];
        if (read.every((one) => one.kind === 'other')) others += 1;
        bad.push(...problems.map((reason) => ({ path: object.path, reason })));
        files.push({
          path: object.path,
          size: object.size,
          sha256,
          ...(object.etag ? { etag: object.etag } : {}),
          kinds: [...new Set(read.map((one) => one.kind))],
          lines: read.reduce((sum, one) => sum + one.lines, 0),
          skipped: read.reduce((sum, one) => sum + one.skipped, 0),
          ...(problems.length === 0 ? {} : { problem: problems.slice(0, 5).join('; ') }),
        });
        for (const writer of Object.values(writers)) if (writer.waiting >= partRows) await writer.finish();
      } finally {
        await local.close();
      }
    }
    const parts: NetworkPage['parts'] = [];
    for (const writer of Object.values(writers)) parts.push(...(await writer.end()));
    for (const part of parts) await rename(join(folder.temp, part.name), join(folder.parts, part.name));
    if (files.length > 0) {
      await flush(folder.parts);
      const page: NetworkPage = { version: 1, source: source.name, importedAt: now().toISOString(), parts, files };
      await writePage(folder.pages, `${name}.json`, page);
    }
    const rows = (kind: string) => parts.filter((part) => part.kind === kind).reduce((sum, part) => sum + part.rows, 0);
    return { files: files.length, skipped, flows: rows('flows'), lookups: rows('dns'), bad, others };
  } finally {
    for (const writer of Object.values(writers)) await writer.discard();
    await rm(folder.temp, { recursive: true, force: true });
  }
}

/** None of its rows is asked for: it is left for another import. Of any other all rows are kept, since a known file is never read again. */
async function isOutside(
  file: { readonly absolute: string; readonly path: string; readonly size: number },
  selection: Selection,
): Promise<boolean> {
  if (Object.values(selection).every((one) => one === undefined)) return false;
  const inPlace = placeFilter(selection);
  const rows = { inside: 0, outside: 0 };
  const see = (isIn: boolean) => {
    rows[isIn ? 'inside' : 'outside'] += 1;
  };
  const sink = {
    flow: (flow: FlowRecord) => see(inPlace(flow.start * 1000, flow.accountId, flow.region, flow.end * 1000)),
    dns: (record: DnsRecord) => see(inPlace(Date.parse(record.queryTimestamp), record.accountId, record.region)),
    file: () => undefined,
  };
  await readNetworkFile(file, sink, () => undefined);
  return rows.outside > 0 && rows.inside === 0;
}

async function localFile(source: LogSource, object: LogObject, folder: NetworkFolder, signal: AbortSignal) {
  if (object.file !== undefined) return { file: object.file, close: async () => undefined };
  const file = join(folder.temp, `object-${randomBytes(6).toString('hex')}`);
  await source.save(object, file, signal);
  return { file, close: () => rm(file, { force: true }) };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
