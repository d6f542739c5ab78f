/** Chains of sessions: what came from what, how often a chain came back to where it was, and what of it still works. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import type { Minting } from './minting.ts';
import { type GraphNode, nodeOfArn, principalGroup, principalOf, succeeded } from './principal.ts';
import { beganThen, type Lineage, stampSlackMs } from './session-search.ts';

export interface SessionLine extends Minting {
  /** 1: minted by the artifact itself; 2: by a session that it minted; ... */
  readonly depth: number;
  /** Event id of the minting that this one came from, where it is known. */
  readonly parent?: string;
  /** By the clock alone: `may-be-alive` says that nothing but revoking has ended it. */
  readonly state: 'expired' | 'may-be-alive';
  readonly calls: number;
  readonly firstUsed?: string;
  readonly lastUsed?: string;
  /** Where it was used from. */
  readonly addresses: readonly string[];
}

/** A session that acted and whose minting is not in these logs: an instance's, or minted before the window or elsewhere. */
export interface SeenSession {
  /** Of a session of a role; else the user himself, or the federated user. */
  readonly identity: string;
  readonly accessKey: string;
  /** When AWS says that the session began; "" where the record does not say. */
  readonly createdAt: string;
  readonly calls: number;
  readonly firstUsed: string;
  readonly lastUsed: string;
  readonly addresses: readonly string[];
}

/** Roles (or users) that a chain went through until it came back to the first. */
export interface RoleLoop {
  /** Ids, the first again at the end. */
  readonly through: readonly string[];
  readonly times: number;
  readonly eventIds: readonly string[];
}

/** Every minted credential with its use. `now` decides what has run out. */
export function sessionLines(lineage: Lineage, now: Date): readonly SessionLine[] {
  const calls = Map.groupBy(lineage.calls, (record) => record.userIdentity.accessKeyId ?? '');
  const all = lineage.minted.map((minting) => withHiddenKey(minting, lineage));
  const parentOf = parents([...lineage.origin, ...all]);
  const own = new Map(all.map((minting) => [minting.eventId, minting]));
  return all.map((minting) => {
    let depth = 1;
    const walked = new Set([minting.eventId]);
    for (
      let parent = parentOf(minting);
      parent && own.has(parent.eventId) && !walked.has(parent.eventId);
      parent = parentOf(parent)
    ) {
      walked.add(parent.eventId);
      depth += 1;
    }
    const parent = parentOf(minting);
    return {
      ...minting,
      depth,
      ...(parent ? { parent: parent.eventId } : {}),
      state: Date.parse(minting.aliveUntil) <= now.getTime() ? 'expired' : 'may-be-alive',
      ...useOf(minting.isOfConsole ? consoleCalls(minting, lineage) : (calls.get(minting.accessKey ?? '-') ?? [])),
    };
  });
}

/** Where the minting record hides the key, the session's own calls tell it by the time they say that it began. */
function withHiddenKey(minting: Minting, { calls }: Lineage): Minting {
  if (minting.accessKey || !minting.identity) return minting;
  const used = calls.find(
    (record) =>
      record.userIdentity.arn === minting.identity &&
      Math.abs(Date.parse(createdAtOf(record)) - Date.parse(minting.eventTime)) <= stampSlackMs,
  )?.userIdentity.accessKeyId;
  return used ? { ...minting, accessKey: used, accessKeyIsLikely: true } : minting;
}

/** The session that the console switched to is told by its name and by when it began. */
function consoleCalls({ identity, eventTime, accessKey }: Minting, { calls }: Lineage): readonly CloudTrailRecord[] {
  return calls.filter(
    (record) =>
      (accessKey !== undefined && record.userIdentity.accessKeyId === accessKey) ||
      (record.userIdentity.arn === identity && beganThen(record, eventTime)),
  );
}

function createdAtOf(record: CloudTrailRecord): string {
  return record.userIdentity.sessionContext?.attributes?.creationDate ?? '';
}

function useOf(records: readonly CloudTrailRecord[]) {
  const [first, last] = [records[0], records.at(-1)];
  return {
    calls: records.length,
    ...(first ? { firstUsed: first.eventTime } : {}),
    ...(last ? { lastUsed: last.eventTime } : {}),
    addresses: addressesOf(records),
  };
}

function addressesOf(records: readonly CloudTrailRecord[]): readonly string[] {
  return [...new Set(records.flatMap((record) => parseIp(record.sourceIPAddress) ?? []))];
}

function parents(mintings: readonly Minting[]): (minting: Minting) => Minting | undefined {
  const byKey = new Map(mintings.flatMap((minting) => (minting.accessKey ? [[minting.accessKey, minting]] : [])));
  const byIdentity = Map.groupBy(mintings, (minting) => minting.identity ?? '');
  return (minting) => {
    const found = minting.withKey ? byKey.get(minting.withKey) : undefined;
    if (found) return found === minting ? undefined : found;
    return byIdentity
      .get(minting.by)
      ?.findLast((other) => other.eventTime <= minting.eventTime && other.accessKey === undefined && other !== minting);
  };
}

/** Sessions among the calls that no minting here explains. */
export function seenSessions(lineage: Lineage): readonly SeenSession[] {
  const known = new Set(
    [...lineage.origin, ...lineage.minted.map((minting) => withHiddenKey(minting, lineage))].flatMap(
      ({ accessKey }) => accessKey ?? [],
    ),
  );
  const told = new Set(
    [...lineage.origin, ...lineage.minted].flatMap((minting) =>
      minting.isOfConsole ? consoleCalls(minting, lineage) : [],
    ),
  );
  const groups = new Map<string, CloudTrailRecord[]>();
  for (const record of lineage.calls) {
    const principal = principalOf(record);
    const key = record.userIdentity.accessKeyId ?? '';
    if (principal === undefined || known.has(key) || told.has(record)) continue;
    if (principal.kind !== 'session' && (!isTemporary(principal, key) || beganAtSignIn(record, lineage))) continue;
    // The console works with many keys in what is one session of a user.
    const which = principal.kind === 'session' ? key : createdAtOf(record) || key;
    const group = groups.get(`${principal.id}\n${which}`) ?? [];
    group.push(record);
    groups.set(`${principal.id}\n${which}`, group);
  }
  return [...groups.values()].map((records) => ({
    identity: principalOf(records[0] as CloudTrailRecord)?.id ?? '',
    accessKey: records[0]?.userIdentity.accessKeyId ?? '',
    createdAt: createdAtOf(records[0] as CloudTrailRecord),
    calls: records.length,
    firstUsed: records[0]?.eventTime ?? '',
    lastUsed: records.at(-1)?.eventTime ?? '',
    addresses: addressesOf(records),
  }));
}

/** Users act with session tokens under their own name: only the key tells. */
function isTemporary({ kind }: GraphNode, key: string): boolean {
  return (kind === 'user' || kind === 'federatedUser') && key.startsWith('ASIA');
}

function beganAtSignIn(record: CloudTrailRecord, { calls }: Lineage): boolean {
  return (
    createdAtOf(record) !== '' &&
    calls.some(
      (login) =>
        login.eventName === 'ConsoleLogin' &&
        succeeded(login) &&
        principalOf(login)?.id === principalOf(record)?.id &&
        beganThen(record, login.eventTime),
    )
  );
}

/** Role juggling: chains that come back to a role (or user) that they have been at, so that the access never runs out. */
export function loopsOf(lineage: Lineage): readonly RoleLoop[] {
  const all = [...lineage.origin, ...lineage.minted.map((minting) => withHiddenKey(minting, lineage))];
  const parentOf = parents(all);
  const loops = new Map<string, { through: readonly string[]; times: number; eventIds: string[] }>();
  for (const minting of all) {
    if (!minting.identity) continue;
    const goal = groupOf(minting.identity);
    const through = [goal];
    const walked = new Set<Minting>([minting]);
    for (let here: Minting | undefined = minting; here; here = nextOf(here, parentOf, walked)) {
      const from = groupOf(here.by);
      through.unshift(from);
      if (from !== goal) continue;
      const key = cycleKey(through);
      const had = loops.get(key) ?? { through, times: 0, eventIds: [] };
      loops.set(key, { ...had, times: had.times + 1, eventIds: [...had.eventIds, minting.eventId] });
      break;
    }
  }
  return [...loops.values()].sort((a, b) => b.times - a.times);
}

function nextOf(
  minting: Minting,
  parentOf: (minting: Minting) => Minting | undefined,
  walked: Set<Minting>,
): Minting | undefined {
  const parent = parentOf(minting);
  if (!parent || walked.has(parent)) return undefined;
  walked.add(parent);
  return parent;
}

function groupOf(id: string): string {
  const node = nodeOfArn(id);
  return node ? principalGroup(node) : id;
}

/** A loop is the same wherever one enters it. */
function cycleKey(through: readonly string[]): string {
  const ring = through.slice(0, -1);
  const start = ring.indexOf([...ring].sort()[0] ?? '');
  return [...ring.slice(start), ...ring.slice(0, start)].join('\n');
}
