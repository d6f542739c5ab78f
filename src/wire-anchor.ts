/** Constructs what anchors the audit outside the database; wire.ts constructs all else. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { AnchorBucket } from './contracts/audit-anchor.ts';
import type { Deps } from './flows/deps.ts';

/** Undefined where the config names no bucket. The S3 client is loaded only where it does. */
export async function connectAnchors(config: Config): Promise<AnchorBucket | undefined> {
  if (config.audit.anchor === undefined) return undefined;
  const { openAnchorBucket } = await import('./aws/audit-anchors.ts');
  return openAnchorBucket(config.audit.anchor, { pathStyle: config.s3PathStyle });
}

/** The task of a worker, and what ends its connections; undefined where the config names no bucket. */
export async function anchoring(
  config: Config,
  deps: Pick<Deps, 'clock' | 'log' | 'store'>,
): Promise<{ run(): Promise<void>; close(): Promise<void> } | undefined> {
  const bucket = await connectAnchors(config);
  const { anchor } = config.audit;
  if (bucket === undefined || anchor === undefined) return undefined;
  const { anchorAudit } = await import('./flows/anchor-audit.ts');
  const version = ownVersion();
  return {
    run: () => anchorAudit({ ...deps, bucket, anchor, version }),
    close: async () => bucket.close(),
  };
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
