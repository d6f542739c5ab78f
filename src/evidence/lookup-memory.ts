/**
 * What LookupEvents has answered before, kept in the data folder, so that nothing is fetched twice: one file per question that was
 * read to its end, in one account and Region, with the time that it covers. Any number of processes may write and read.
 */
import { hash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { parseRecord } from '../domain/record.ts';
import { mergedSpans, type Span } from './spans.ts';
import { jsonOf } from './unwrap.ts';

/** One attribute, or `scan` for everything that happened. What one attribute found says nothing of any other question. */
export interface Asked {
  readonly account: string;
  readonly region: string;
  readonly question: string;
}

export interface Recalled {
  readonly spans: readonly Span[];
  readonly records: readonly CloudTrailRecord[];
}

export interface LookupMemory {
  /** What is known of the span. Files that cannot be read are as good as none. */
  recall(asked: Asked, span: Span): Promise<Recalled>;
  /** Keeps all records of a span. Never rejects: what cannot be kept is fetched again. */
  keep(asked: Asked, span: Span, records: readonly CloudTrailRecord[]): Promise<void>;
}

const pack = promisify(gzip);
const unpack = promisify(gunzip);
const maxUnpacked = 1024 * 1024 * 1024;

const Header = z.object({
  version: z.literal(1),
  account: z.string(),
  region: z.string(),
  question: z.string(),
  from: z.number(),
  to: z.number(),
  records: z.number(),
});

const fileName = /^(\d+)-(\d+)-[0-9a-f]{8}\.ndjson\.gz$/;

export function openLookupMemory(dataDir: string, log: Log): LookupMemory {
  const root = join(dataDir, 'lake', 'lookups');
  // Names from outside become no path.
  const folderOf = ({ account, region, question }: Asked) =>
    join(root, hash('sha256', JSON.stringify([account, region, question])).slice(0, 40));

  return {
    async recall(asked, span) {
      const folder = folderOf(asked);
      const spans: Span[] = [];
      const records: CloudTrailRecord[] = [];
      for (const name of await namesIn(folder)) {
        const [, from = '', to = ''] = fileName.exec(name) ?? [];
        const kept = { from: Number(from), to: Number(to) };
        if (from === '' || kept.to <= span.from || kept.from >= span.to) continue;
        const read = await readKept(join(folder, name), asked, kept);
        if (read === undefined) {
          log.warn({ file: name }, 'an earlier answer of LookupEvents is damaged and is fetched again');
          continue;
        }
        spans.push(kept);
        for (const record of read) records.push(record);
      }
      return { spans: mergedSpans(spans), records };
    },
    async keep(asked, { from, to }, records) {
      if (from >= to) return;
      const folder = folderOf(asked);
      const name = `${from}-${to}-${randomBytes(4).toString('hex')}.ndjson.gz`;
      const part = join(folder, `.${name}.part`);
      const inSpan = records.filter(({ eventTime }) => from <= Date.parse(eventTime) && Date.parse(eventTime) < to);
      const header = { version: 1, ...asked, from, to, records: inSpan.length };
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const lines = [header, ...inSpan].map((line) => JSON.stringify(line));
        await writeFile(part, await pack(lines.join('\n')), { mode: 0o600, flush: true });
        await rename(part, join(folder, name));
      } catch (error) {
        log.warn({ error: asError(error) }, 'an answer of LookupEvents could not be kept');
        await rm(part, { force: true }).catch((left: unknown) =>
          log.warn({ part, error: asError(left) }, 'and the part of it that was written stays'),
        );
      }
    },
  };
}

/** Undefined where the file is not whole. */
async function readKept(path: string, asked: Asked, span: Span): Promise<readonly CloudTrailRecord[] | undefined> {
  let text: string;
  try {
    text = (await unpack(await readFile(path), { maxOutputLength: maxUnpacked })).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
  const [first = '', ...lines] = text.split('\n');
  const header = Header.safeParse(jsonOf(first));
  if (!header.success || header.data.records !== lines.length) return undefined;
  const { account, region, question, from, to } = header.data;
  const isOurs =
    account === asked.account && region === asked.region && question === asked.question && from === span.from;
  if (!isOurs || to !== span.to) return undefined;
  const parsed = lines.map((line) => parseRecord(jsonOf(line)));
  const records = parsed.flatMap((one) => (one.ok ? [one.record] : []));
  return records.length === lines.length ? records : undefined;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
