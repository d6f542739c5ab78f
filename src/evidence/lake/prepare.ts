/** Unpacks one log file, and reads those that need care record by record. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { readLogFile } from '../log-file.ts';
import type { FileReport } from '../log-text.ts';

const unpackAsync = promisify(gunzip);

/** Larger ones are read piece by piece. */
export const maxInMemory = 24 * 1024 * 1024;
const maxUnpacked = 192 * 1024 * 1024;

export interface Plain {
  readonly content: Buffer;
  readonly sha256: string | undefined;
}

/** What is packed in the object, or undefined where it must be read piece by piece or is damaged. */
export async function unpack(bytes: Buffer, hashIt: boolean): Promise<Plain | undefined> {
  try {
    const content = isGzip(bytes) ? await unpackAsync(bytes, limitsOf(bytes)) : bytes;
    return { content, sha256: hashIt ? sha256(content) : undefined };
  } catch (error) {
    return undefinedWhereDamaged(error);
  }
}

/** The same for who has nothing else to do meanwhile. */
export function unpackHere(bytes: Buffer): Buffer | undefined {
  try {
    return isGzip(bytes) ? gunzipSync(bytes, limitsOf(bytes)) : bytes;
  } catch (error) {
    return undefinedWhereDamaged(error);
  }
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function limitsOf(bytes: Buffer) {
  return { maxOutputLength: maxUnpacked, chunkSize: sizeHint(bytes) };
}

/** The careful reader says what is wrong with it, and saves what can be saved. */
function undefinedWhereDamaged(error: unknown): undefined {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!code.startsWith('Z_') && code !== 'ERR_BUFFER_TOO_LARGE') throw error;
  return undefined;
}

/** What gzip says at its end of what is in it, so that it is unpacked in one piece. No more than a hint: anybody can write it. */
function sizeHint(bytes: Buffer): number {
  const told = bytes.length > 18 ? bytes.readUInt32LE(bytes.length - 4) + 64 : 0;
  return Math.min(Math.max(told, 16 * 1024), 32 * 1024 * 1024, bytes.length * 40 + 1024);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface CarefulRead {
  readonly records: number;
  readonly verdict: FileReport['verdict'];
  readonly reason: string | undefined;
}

/** Reads a file as the folder source does: every form, saving what can be saved. An archive counts as one file. Rejects with what `keep` throws. */
export async function readCarefully(
  file: string,
  path: string,
  size: number,
  keep: (record: CloudTrailRecord) => void,
): Promise<CarefulRead> {
  const reports: FileReport[] = [];
  let records = 0;
  /** What `keep` threw is no fault of the file. */
  let failure: { readonly error: unknown } | undefined;
  await readLogFile(file, path, size, {
    record(record) {
      if (failure) return;
      try {
        keep(record);
        records += 1;
      } catch (error) {
        failure = { error };
      }
    },
    report: (report) => reports.push(report),
    full: () => failure !== undefined,
  });
  if (failure) throw failure.error;
  const bad = reports.filter((report) => report.verdict === 'bad');
  const reason = bad.map((one) => (one.path === path ? one.reason : `${one.path.slice(path.length)}: ${one.reason}`));
  const verdict = (['bad', 'log', 'digest'] as const).find((one) => reports.some((report) => report.verdict === one));
  return {
    records,
    verdict: verdict ?? 'other',
    reason: reason.length === 0 ? undefined : reason.slice(0, 5).join('; '),
  };
}
