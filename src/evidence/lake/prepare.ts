/** Turns one log file into lines for DuckDB: in place where it is written as CloudTrail writes, else record by record. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { readLogFile } from '../log-file.ts';
import type { FileReport } from '../log-text.ts';
import { fileTag } from './columns.ts';

const unpackAsync = promisify(gunzip);

/** Larger ones are read piece by piece. */
export const maxInMemory = 24 * 1024 * 1024;
const maxUnpacked = 192 * 1024 * 1024;

const key = '"eventVersion":';
/** How a file begins and ends, what stands between its records, and how long the beginning is without the first record. */
const forms = [
  { head: `{"Records":[{${key}`, skip: 12, between: `},{${key}`, tail: '}]}' },
  { head: `[{${key}`, skip: 1, between: `},{${key}`, tail: '}]' },
  { head: `{${key}`, skip: 0, between: `}\n{${key}`, tail: '}' },
].map((form) => ({
  ...form,
  head: Buffer.from(form.head),
  between: Buffer.from(form.between),
  tail: Buffer.from(form.tail),
}));

export interface Plain {
  readonly content: Buffer;
  readonly sha256: string | undefined;
}

/** What is packed in the object, or undefined where it must be read piece by piece or is damaged. */
export async function unpack(bytes: Buffer, hashIt: boolean): Promise<Plain | undefined> {
  let content = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      content = await unpackAsync(bytes, { maxOutputLength: maxUnpacked });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      // The careful reader says what is wrong with it, and saves what can be saved.
      if (code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE') return undefined;
      throw error;
    }
  }
  return { content, sha256: hashIt ? sha256(content) : undefined };
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface Lines {
  readonly bytes: Buffer;
  readonly records: number;
}

/**
 * Rewrites the content into lines, in place: the bytes between two records become a line break, and the first key of each the
 * number of the file. Undefined where the file is not in one of the plain forms. What looks like one and is not fails in
 * DuckDB or in the count after it, and is read again by the careful way.
 */
export function linesInPlace(content: Buffer, number: number): Lines | undefined {
  const form = forms.find(({ head }) => content.subarray(0, head.length).equals(head));
  if (form === undefined) return undefined;
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d || content[end - 1] === 0x20)) end -= 1;
  if (!content.subarray(end - form.tail.length, end).equals(form.tail)) return undefined;
  const stop = end - form.tail.length + 1;
  const between = Buffer.from(`}\n{${fileTag(number)}`);
  between.copy(content, form.skip, 2);
  let records = 1;
  for (let at = content.indexOf(form.between); at >= 0; at = content.indexOf(form.between, at + between.length)) {
    between.copy(content, at);
    records += 1;
  }
  const lines = content.subarray(form.skip, stop);
  // A line without our number would belong to no file.
  if (countLineBreaks(lines) !== records - 1) return undefined;
  return { bytes: Buffer.concat([lines, Buffer.from('\n')]), records };
}

function countLineBreaks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

export interface CarefulRead {
  readonly records: number;
  readonly verdict: FileReport['verdict'];
  readonly reason: string | undefined;
}

/** Reads a file as the folder source does: every form, saving what can be saved. An archive counts as one file. */
export async function readCarefully(
  file: string,
  path: string,
  size: number,
  keep: (record: CloudTrailRecord) => void,
): Promise<CarefulRead> {
  const reports: FileReport[] = [];
  let records = 0;
  await readLogFile(file, path, size, {
    record(record) {
      records += 1;
      keep(record);
    },
    report: (report) => reports.push(report),
    full: () => false,
  });
  const bad = reports.filter((report) => report.verdict === 'bad');
  const reason = bad.map((one) => (one.path === path ? one.reason : `${one.path.slice(path.length)}: ${one.reason}`));
  const verdict = (['bad', 'log', 'digest'] as const).find((one) => reports.some((report) => report.verdict === one));
  return {
    records,
    verdict: verdict ?? 'other',
    reason: reason.length === 0 ? undefined : reason.slice(0, 5).join('; '),
  };
}
