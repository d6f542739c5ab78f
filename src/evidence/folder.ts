/** Evidence from a folder of CloudTrail files: for the command line, offline, for the day AWS or Slack is out of reach. */
import { lstat, opendir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { UserError } from '../contracts/errors.ts';
import type { Coverage, Evidence } from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { Held } from './held.ts';
import { readLogFile } from './log-file.ts';
import type { FileReport } from './log-text.ts';
import { createRecordIndex } from './record-index.ts';

export interface FolderOptions {
  /** A folder, or one file. */
  readonly dir: string;
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  /** Records kept in memory. */
  readonly maxEvents: number;
  /** Only these, where given. Records that name no account or Region stay. */
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly log: Log;
}

/**
 * Reads every file below the folder and answers from memory. Told by content, not by name; files that claim to be logs and
 * cannot be read in full are listed as bad, with what could be read kept. Symbolic links that lead out of the folder are not
 * followed. Throws UserError where the folder does not exist or may not be read.
 */
export async function openFolderEvidence(options: FolderOptions): Promise<Evidence> {
  const index = createRecordIndex();
  const found = await listFiles(options.dir);
  const accept = filterOf(options);
  const held = new Held();
  const files: FileReport[] = [];
  let outside = 0;
  let truncated = false;
  for (const file of found.files) {
    if (truncated) break;
    held.sawPath(file.path);
    await readLogFile(file.absolute, file.path, file.size, {
      record(record) {
        held.saw(record);
        if (!accept(record)) outside += 1;
        else if (index.size() < options.maxEvents) index.add(record);
        else truncated = true;
      },
      report: (report) => files.push(report),
      full: () => truncated,
    });
  }
  const bad = [...found.unreadable, ...files.filter((file) => file.verdict === 'bad')];
  const logs = files.filter((file) => file.verdict === 'log').length;
  const others = files.filter((file) => file.verdict === 'other');
  options.log.info(
    { records: index.size(), files: files.length, badFiles: bad.length, outside, truncated },
    'folder of CloudTrail files read',
  );

  function coverage(): Coverage {
    const span = index.span();
    const looked = logs > 0 || index.size() > 0 || outside > 0;
    // Where reading stopped halfway nobody knows what else there is.
    const lacks = truncated ? [] : held.lacks(options);
    return {
      complete: bad.length === 0 && !truncated && looked && lacks.length === 0,
      accounts: span.accounts,
      regions: span.regions,
      from: options.window.from ?? span.first ?? held.first,
      to: options.window.to ?? span.last ?? held.last,
      sources: [
        {
          name: 'CloudTrail files',
          events: index.size(),
          pages: files.filter((file) => file.verdict === 'log' || file.verdict === 'bad').length,
          truncated,
          failed: !looked,
          ...reasonOf(truncated, looked, options),
        },
      ],
      badFiles: bad.map((file) => ({ path: file.path, reason: file.reason ?? '' })),
      notLookedAt: [
        ...lacks,
        ...(index.size() === 0 && outside === 0 ? [`no CloudTrail records found in ${options.dir}`] : []),
        ...(truncated ? [`records after the first ${options.maxEvents}`] : []),
        ...(others.length > 0 ? [`${others.length} files that are no CloudTrail logs: ${namesOf(others)}`] : []),
        ...(found.links.length > 0
          ? [`${found.links.length} symbolic links, not followed: ${namesOf(found.links)}`]
          : []),
      ],
    };
  }

  return {
    recordsOf: async (artifact) => index.recordsOf(artifact),
    all: async function* () {
      yield* index.all();
    },
    coverage,
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: index.size(), requests: 0 }),
  };
}

function reasonOf(truncated: boolean, looked: boolean, options: FolderOptions): { reason?: string } {
  if (truncated) return { reason: `stopped at ${options.maxEvents} records` };
  return looked ? {} : { reason: 'no CloudTrail records found' };
}

function namesOf(files: readonly { readonly path: string }[]): string {
  const shown = files.slice(0, 5).map((file) => file.path);
  return shown.join(', ') + (files.length > shown.length ? ', ...' : '');
}

/** Keeps to the window, accounts and Regions. */
export function filterOf(
  options: Pick<FolderOptions, 'window' | 'accounts' | 'regions'>,
): (record: CloudTrailRecord) => boolean {
  const from = options.window.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(options.window.from);
  const to = options.window.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(options.window.to);
  const accounts = options.accounts && new Set(options.accounts);
  const regions = options.regions && new Set(options.regions);
  return (record) => {
    const at = Date.parse(record.eventTime);
    if (!(from <= at && at < to)) return false;
    const account = record.recipientAccountId ?? record.userIdentity.accountId;
    if (accounts && account && !accounts.has(account)) return false;
    return !(regions && record.awsRegion && !regions.has(record.awsRegion));
  };
}

export interface LogFileFound {
  readonly absolute: string;
  /** Relative. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

interface Found {
  readonly files: readonly LogFileFound[];
  readonly links: readonly { readonly path: string }[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** All regular files below the folder, by path, so that a cap cuts at the same place every time. */
export async function listFiles(dir: string): Promise<Found> {
  const root = await rootOf(dir);
  const files: { absolute: string; path: string; size: number }[] = [];
  const links: { path: string }[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  if (root.isFile)
    return {
      files: [{ absolute: root.path, path: root.path.split(sep).at(-1) ?? '', size: root.size }],
      links,
      unreadable,
    };
  const folders = [root.path];
  /** What one file has must not cost the others of its folder. */
  async function add(absolute: string): Promise<void> {
    const path = relative(root.path, absolute);
    try {
      const kind = await lstat(absolute);
      if (kind.isDirectory()) folders.push(absolute);
      else if (kind.isFile()) files.push({ absolute, path, size: kind.size });
      // A link that stays inside leads to what is read anyway.
      else if (kind.isSymbolicLink() && !(await staysInside(absolute, root.path))) links.push({ path });
    } catch (error) {
      const hint = path.includes('\u{fffd}') ? ', its name is not UTF-8: rename it' : '';
      unreadable.push({ path, reason: `could not be read (${errno(error)})${hint}` });
    }
  }
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(folder)) await add(join(folder, entry.name));
    } catch (error) {
      unreadable.push({ path: relative(root.path, folder), reason: `could not be read (${errno(error)})` });
    }
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), links, unreadable };
}

async function rootOf(dir: string): Promise<{ path: string; isFile: boolean; size: number }> {
  try {
    const path = await realpath(dir);
    const kind = await stat(path);
    if (!kind.isFile() && !kind.isDirectory()) throw new UserError(`${dir} is neither a folder nor a file.`);
    return { path, isFile: kind.isFile(), size: kind.size };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = errno(error);
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `could not be read (${code})`;
    throw new UserError(`The folder ${dir} ${why}.`, '--logs takes a folder of CloudTrail files, or one file.');
  }
}

async function staysInside(link: string, root: string): Promise<boolean> {
  try {
    return `${await realpath(link)}${sep}`.startsWith(`${root}${sep}`);
  } catch (error) {
    // A dangling link leads nowhere.
    if (errno(error) !== undefined) return false;
    throw error;
  }
}

/** The system's error code; anything without one is a bug and thrown on. */
function errno(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string') throw error;
  return code;
}
