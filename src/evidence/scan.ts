/**
 * Evidence from a large folder of CloudTrail files without reading all of them into memory: each question unpacks every file and
 * looks for a word that its records must hold; only records that hold it are parsed. The first answer before an import is done.
 */
import pLimit from 'p-limit';
import type { Artifact } from '../contracts/artifact.ts';
import type { Coverage, Evidence } from '../contracts/evidence.ts';
import { type FolderOptions, filterOf, type LogFileFound, openFolderEvidence } from './folder.ts';
import { Held } from './held.ts';
import { layoutOf } from './lake/layout.ts';
import { maxInMemory } from './lake/prepare.ts';
import { readLogFile } from './log-file.ts';
import type { FileReport } from './log-text.ts';
import { createRecordIndex } from './record-index.ts';
import { openScanPool, type ScanPool } from './scan-pool.ts';
import { type ScanWord, scanWordOf } from './scan-word.ts';
import { jsonOf, unwrap } from './unwrap.ts';

export interface ScanOptions extends FolderOptions {
  /** All files below the folder, listed before. */
  readonly files: readonly LogFileFound[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** Bytes of files up to which no threads are started. */
  readonly few?: number;
}

/**
 * Answers as the folder source does for the same files. Questions that no word stands for (an account, an IPv6 address, all
 * records) are answered by the folder source, within its memory. Nothing is read before the first question.
 */
export function openScanEvidence(options: ScanOptions): Evidence {
  const index = createRecordIndex();
  const accept = filterOf(options);
  const asked = new Map<string, Promise<void>>();
  const reports = new Map<string, FileReport>();
  /** Files whose records are all in the index: those that are not written as CloudTrail writes. */
  const held = new Set<string>();
  const laid = options.files.flatMap(({ path }) => layoutOf(path) ?? []);
  const lacks = lacksOf(options);
  let outside = 0;
  let truncated = false;
  let whole: Promise<Evidence> | undefined;
  let opened: Evidence | undefined;

  async function readWhole(): Promise<Evidence> {
    whole ??= openFolderEvidence(options);
    opened = await whole;
    return opened;
  }

  const keep: Parameters<typeof unwrap>[1] = {
    record(record) {
      if (!accept(record)) outside += 1;
      else if (index.has(record)) return;
      else if (index.size() < options.maxEvents) index.add(record);
      else truncated = true;
    },
    digest: () => undefined,
    other: () => undefined,
    nearly: () => undefined,
  };

  async function readCarefully(file: LogFileFound): Promise<void> {
    held.add(file.path);
    await readLogFile(file.absolute, file.path, file.size, {
      record: keep.record,
      report: (report) => reports.set(report.path, report),
      full: () => truncated,
    });
  }

  async function scanFile(file: LogFileFound, word: ScanWord, pool: ScanPool): Promise<void> {
    if (held.has(file.path)) return;
    const isFirst = !reports.has(file.path);
    const texts = file.size > maxInMemory ? undefined : await pool.ask({ file: file.absolute, word, isFirst });
    if (texts === undefined) return readCarefully(file);
    reports.set(file.path, { path: file.path, verdict: 'log' });
    for (const text of texts) {
      const value = jsonOf(text);
      if (value === undefined) return readCarefully(file);
      unwrap(value, keep);
    }
  }

  async function scan(word: ScanWord): Promise<void> {
    const pool = openScanPool(
      options.files.reduce((sum, { size }) => sum + size, 0),
      options.few,
    );
    try {
      await scanAll(word, pool);
    } finally {
      await pool.close();
    }
  }

  async function scanAll(word: ScanWord, pool: ScanPool): Promise<void> {
    const limit = pLimit(pool.width);
    await Promise.all(
      options.files.map((file) =>
        limit(async () => {
          try {
            await scanFile(file, word, pool);
          } catch (error) {
            const code = (error as NodeJS.ErrnoException).code;
            if (code === undefined) throw error;
            reports.set(file.path, { path: file.path, verdict: 'bad', reason: `could not be read (${code})` });
          }
        }),
      ),
    );
  }

  function coverage(): Coverage {
    if (opened) return opened.coverage();
    const all = [...reports.values()];
    const bad = [...options.unreadable, ...all.filter(({ verdict }) => verdict === 'bad')];
    const others = all.filter(({ verdict }) => verdict === 'other');
    const looked = index.size() > 0 || outside > 0 || all.some(({ verdict }) => verdict === 'log');
    const span = index.span();
    const days = laid.map(({ day }) => day).sort();
    const dayEnd = days.at(-1) && `${days.at(-1)}T23:59:59Z`;
    return {
      complete: bad.length === 0 && !truncated && looked && lacks.length === 0,
      accounts: sorted([...span.accounts, ...laid.map(({ account }) => account)], options.accounts),
      regions: sorted([...span.regions, ...laid.map(({ region }) => region)], options.regions),
      from: options.window.from ?? (days[0] ? `${days[0]}T00:00:00Z` : (span.first ?? '')),
      to: options.window.to ?? dayEnd ?? span.last ?? '',
      sources: [
        {
          name: 'CloudTrail files',
          events: index.size(),
          pages: all.length - others.length,
          truncated,
          failed: !looked,
          ...(truncated ? { reason: `stopped at ${options.maxEvents} records` } : {}),
          ...(looked ? {} : { reason: 'no CloudTrail records found' }),
        },
      ],
      badFiles: bad.map(({ path, reason }) => ({ path, reason: reason ?? '' })),
      notLookedAt: [
        ...lacks,
        ...(truncated ? [`records after the first ${options.maxEvents}`] : []),
        ...(others.length > 0
          ? [
              `${others.length} files that are no CloudTrail logs: ${others
                .slice(0, 5)
                .map(({ path }) => path)
                .join(', ')}`,
            ]
          : []),
      ],
    };
  }

  return {
    async recordsOf(artifact: Artifact) {
      if (opened) return opened.recordsOf(artifact);
      const word = scanWordOf(artifact);
      if (word === undefined) return (await readWhole()).recordsOf(artifact);
      const key = word.isAnyCase ? `any case ${word.text.toLowerCase()}` : word.text;
      const running = asked.get(key) ?? scan(word);
      asked.set(key, running);
      await running;
      return index.recordsOf(artifact);
    },
    async *all() {
      const folder = await readWhole();
      if (folder.all) yield* folder.all();
    },
    coverage,
    progress: () => ({
      regionsDone: 1,
      regions: 1,
      eventsRead: (opened?.progress().eventsRead ?? 0) + index.size(),
      requests: 0,
    }),
  };
}

function sorted(values: readonly string[], only: readonly string[] | undefined): readonly string[] {
  return [...new Set(values)].filter((value) => only === undefined || only.includes(value)).sort();
}

/** Told by the paths of a delivery tree alone; of other files nothing is known before all of them are read. */
function lacksOf(options: ScanOptions): readonly string[] {
  if (options.files.some(({ path }) => layoutOf(path) === undefined)) return [];
  const held = new Held();
  for (const { path } of options.files) held.sawPath(path);
  return held.lacks(options);
}
