/** The network side of the lake: Parquet of flows and lookups, and one JSON page per finished import of them. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { namesIn } from '../lake/pages.ts';

export const networkKinds = ['flows', 'dns'] as const;
export type NetworkKind = (typeof networkKinds)[number];

const Part = z.object({
  name: z.string(),
  kind: z.enum(networkKinds),
  rows: z.number(),
  bytes: z.number(),
  /** ISO 8601 UTC. */
  first: z.string(),
  last: z.string(),
  accounts: z.array(z.string()),
  regions: z.array(z.string()),
  /** Days (UTC) with rows, by account and Region; "" where rows name none. Absent in pages of earlier versions. */
  held: z.array(z.object({ account: z.string(), region: z.string(), days: z.array(z.string()) })).optional(),
});

const NetworkPage = z.object({
  version: z.literal(1),
  source: z.string(),
  importedAt: z.string(),
  parts: z.array(Part),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.number(),
      sha256: z.string(),
      etag: z.string().optional(),
      kinds: z.array(z.enum(['flows', 'dns', 'other'])),
      lines: z.number(),
      skipped: z.number(),
      problem: z.string().optional(),
    }),
  ),
});
export type NetworkPage = z.output<typeof NetworkPage>;

export interface NetworkFolder {
  readonly root: string;
  readonly parts: string;
  readonly pages: string;
  readonly temp: string;
}

export function networkFolder(dataDir: string): NetworkFolder {
  const root = join(dataDir, 'lake', 'network');
  return { root, parts: join(root, 'parts'), pages: join(root, 'pages'), temp: join(root, 'temp') };
}

export async function makeNetworkFolder(folder: NetworkFolder): Promise<void> {
  for (const path of [folder.root, folder.parts, folder.pages, folder.temp])
    await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Pages that cannot be read vouch for nothing, and are named. */
export async function readNetworkPages(
  folder: NetworkFolder,
): Promise<{ readonly pages: readonly NetworkPage[]; readonly damaged: readonly string[] }> {
  const pages: NetworkPage[] = [];
  const damaged: string[] = [];
  for (const name of (await namesIn(folder.pages)).filter((one) => one.endsWith('.json')).sort()) {
    const path = join(folder.pages, name);
    const parsed = NetworkPage.safeParse(jsonOf(await readFile(path, 'utf8')));
    if (parsed.success) pages.push(parsed.data);
    else damaged.push(path);
  }
  return { pages, damaged };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
