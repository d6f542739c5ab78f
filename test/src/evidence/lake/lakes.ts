/** Lakes for tests: a folder imported into a data folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Artifact } from '../../../../src/contracts/artifact.ts';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import type { Evidence } from '../../../../src/contracts/evidence.ts';
import { linksOf } from '../../../../src/domain/links.ts';
import { canonicalText } from '../../../../src/domain/record.ts';
import { openFolderEvidence } from '../../../../src/evidence/folder.ts';
import { folderSource } from '../../../../src/evidence/lake/folder-source.ts';
import { type ImportOptions, type ImportResult, importLogs } from '../../../../src/evidence/lake/import.ts';
import { type LakeEvidence, type LakeOptions, openLakeEvidence } from '../../../../src/evidence/lake/lake.ts';
import { quiet } from '../samples.ts';

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lake-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export function importFolder(dir: string, dataDir: string, more: Partial<ImportOptions> = {}): Promise<ImportResult> {
  return importLogs({
    source: folderSource(dir),
    dataDir,
    selection: {},
    now: () => new Date('2026-11-21T00:00:00Z'),
    log: quiet,
    signal: new AbortController().signal,
    ...more,
  });
}

export async function openLake(dataDir: string, more: Partial<LakeOptions> = {}): Promise<LakeEvidence> {
  const lake = await openLakeEvidence({
    dataDir,
    window: {},
    maxEvents: 1_000_000,
    log: quiet,
    signal: new AbortController().signal,
    ...more,
  });
  onTestFinished(() => lake.close());
  return lake;
}

export function openFolder(dir: string, window: LakeOptions['window'] = {}): Promise<Evidence> {
  return openFolderEvidence({ dir, window, maxEvents: 1_000_000, log: quiet });
}

/** Content of records. Fields of the top level that are null count as absent, also in the order of records of one id and time. */
export function contents(records: readonly CloudTrailRecord[]): string[] {
  return records
    .map((record) => canonicalText(Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null))))
    .sort();
}

/** Everything that can be asked for in some records. */
export function artifactsOf(records: readonly CloudTrailRecord[]): Artifact[] {
  const found = new Map<string, Artifact>();
  for (const record of records) {
    for (const node of linksOf(record).nodes) found.set(node.id, node);
    found.set(`event ${record.eventID}`, { kind: 'event', id: record.eventID });
  }
  return [...found.values()];
}
