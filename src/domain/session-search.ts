/** Follows credentials: down to what was minted from an artifact, up to what it was minted from (DOMAIN.md 4.1). */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Evidence } from '../contracts/evidence.ts';
import { actsIn, sameThing } from './acting.ts';
import { distinctMintings, type FailedMinting, failedMintingOf, type Minting, mintingOf } from './minting.ts';
import { nodeOfArn } from './principal.ts';
import { compareRecords } from './record.ts';
import { namedCopyOf } from './shared-events.ts';

export interface SessionLimits {
  /** Sessions in a row, down and up (DOMAIN.md 4.1: 6). */
  readonly maxDepth: number;
  readonly maxSessions: number;
}

const sessionLimits: SessionLimits = { maxDepth: 6, maxSessions: 500 };

export interface Lineage {
  /** Minted from the artifact, and from what was minted from it; order of time. */
  readonly minted: readonly Minting[];
  /** What the artifact itself was minted by, nearest first. Empty for long-term identities. */
  readonly origin: readonly Minting[];
  readonly failed: readonly FailedMinting[];
  /** Calls that the artifact, or a credential minted from it, made: each once, order of time. */
  readonly calls: readonly CloudTrailRecord[];
  /** All records of the artifact itself, also those in which others act upon it. */
  readonly own: readonly CloudTrailRecord[];
  /** Budgets that ended the search early, in words. */
  readonly cutShort: readonly string[];
}

interface Asking {
  readonly evidence: Evidence;
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/** Never throws for what records hold; throws what `evidence` throws, and the signal's reason when aborted. */
export async function followSessions(
  seed: Artifact,
  { evidence, signal, progress }: Asking,
  limits: SessionLimits = sessionLimits,
): Promise<Lineage> {
  const asked = new Map<string, readonly CloudTrailRecord[]>();
  const cutShort = new Set<string>();
  const minted: Minting[] = [];
  /** Of those, the calls that another account has recorded too. */
  const shared = new Set<string>();
  const failed = new Map<string, FailedMinting>();
  const calls = new Set<CloudTrailRecord>();

  async function recordsOf(artifact: Artifact): Promise<readonly CloudTrailRecord[]> {
    const known = asked.get(artifact.id);
    if (known) return known;
    signal.throwIfAborted();
    progress(`Reading the records of ${artifact.id}`);
    const records = await evidence.recordsOf(artifact);
    asked.set(artifact.id, records);
    return records;
  }

  let level: readonly Step[] = [seed];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next = new Map<string, Step>();
    for (const artifact of level) {
      for (const record of await recordsOf(artifact)) {
        const isActing = actsIn(artifact, record) && beganThen(record, artifact.mintedAt);
        if (isActing) calls.add(record);
        const tried = isActing ? failedMintingOf(record) : undefined;
        if (tried) failed.set(`${tried.eventId}\n${tried.eventTime}`, tried);
        const minting = mintingOf(record);
        if (!minting) continue;
        const isCopy = minting.sharedEventId !== undefined && shared.has(minting.sharedEventId);
        if (!(isActing || isCopy || gives(minting, artifact, seed))) continue;
        if (minting.sharedEventId) shared.add(minting.sharedEventId);
        minted.push(minting);
        for (const child of childrenOf(minting)) if (!asked.has(child.id)) next.set(child.id, child);
      }
    }
    if (depth >= limits.maxDepth && next.size > 0) {
      cutShort.add(`sessions more than ${limits.maxDepth} in a row were not followed`);
      break;
    }
    const room = Math.max(0, limits.maxSessions - asked.size);
    if (next.size > room) cutShort.add(`stopped after ${limits.maxSessions} sessions: more were minted`);
    level = [...next.values()].slice(0, room);
  }
  const origin = await originOf(seed, recordsOf, limits);
  return {
    minted: distinctMintings(minted).filter((minting) => !origin.some(({ eventId }) => eventId === minting.eventId)),
    origin,
    failed: [...failed.values()],
    calls: [...calls].sort(compareRecords),
    own: asked.get(seed.id) ?? [],
    cutShort: [...cutShort],
  };
}

/** A role is not the caller where it is taken: its sessions are what comes from it. */
function gives(minting: Minting, artifact: Artifact, seed: Artifact): boolean {
  return artifact === seed && artifact.kind === 'role' && sameThing(minting.role ?? '', artifact.id);
}

/** What to follow: the key where the record tells it and it is the one in use, since a session's name may be used by many. */
function childrenOf({ accessKey, identity, eventTime, isOfConsole }: Minting): readonly Step[] {
  const node = identity && (!accessKey || isOfConsole) ? nodeOfArn(identity) : undefined;
  return [
    ...(accessKey ? [{ kind: 'accessKey' as const, id: accessKey }] : []),
    ...(node ? [{ ...node, mintedAt: eventTime }] : []),
  ];
}

interface Step extends Artifact {
  /** Of a session that is known by its name only: others may have the same. */
  readonly mintedAt?: string;
}

/** CloudTrail's times are whole seconds; STS stamps a session a moment before or after the call (DOMAIN.md 4.1 d). */
export const stampSlackMs = 2_000;

/** False where the record says that its session began at another time. */
export function beganThen(record: CloudTrailRecord, mintedAt: string | undefined): boolean {
  const began = Date.parse(record.userIdentity.sessionContext?.attributes?.creationDate ?? '');
  return mintedAt === undefined || Number.isNaN(began) || Math.abs(began - Date.parse(mintedAt)) <= stampSlackMs;
}

async function originOf(
  seed: Artifact,
  recordsOf: (artifact: Artifact) => Promise<readonly CloudTrailRecord[]>,
  { maxDepth }: SessionLimits,
): Promise<readonly Minting[]> {
  const origin: Minting[] = [];
  let here: Artifact | undefined = seed;
  while (here && origin.length < maxDepth) {
    const id: string = here.id;
    const isTemporary = here.kind === 'session' || here.kind === 'federatedUser' || /^ASIA/.test(id);
    if (!isTemporary) break;
    const known = await recordsOf(here);
    const copies = [];
    for (const record of known) {
      const copy = mintingOf(record)?.accessKey === id ? await namedCopyOf(record, { recordsOf }) : undefined;
      if (copy) copies.push(copy);
    }
    const found: Minting | undefined = distinctMintings(
      [...known, ...copies].flatMap((record) => mintingOf(record) ?? []),
    ).findLast((minting) => minting.accessKey === id || minting.identity === id);
    if (!found || origin.some(({ eventId }) => eventId === found.eventId)) break;
    origin.push(found);
    here = found.withKey?.startsWith('ASIA')
      ? { kind: 'accessKey', id: found.withKey }
      : found.withKey === undefined
        ? nodeOfArn(found.by)
        : undefined;
  }
  return origin;
}
