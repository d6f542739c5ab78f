/** The credential family of an identity, from the logs: what it minted, made, and was minted from, recursively (DOMAIN.md 5.2). */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Evidence } from '../contracts/evidence.ts';
import { sameThing } from './acting.ts';
import { linksOf } from './links.ts';
import { at } from './links-fields.ts';
import {
  accountOf,
  type GraphNode,
  nameKeyOfArn,
  nodeOfArn,
  partitionOf,
  principalOf,
  roleArnOfSession,
  roleOf,
  succeeded,
} from './principal.ts';
import { type SessionLine, seenSessions, sessionLines } from './session-chains.ts';
import { followSessions } from './session-search.ts';

/** Who made or changed it, as the log has it. */
export interface Maker {
  readonly by: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly eventId: string;
}

/** Who may take a role, as the family wrote it last. */
export interface Opened {
  readonly maker: Maker;
  /** The trust policy, as the call has it; "" where the log does not. */
  readonly policy: string;
}

/** A user, role or root whose credentials are to be looked at. */
export interface Member {
  readonly kind: 'user' | 'role' | 'root';
  readonly id: string;
  /** Set where the family made it: nobody else needs it. */
  readonly made?: Maker;
  /** Set where the family gave it its password. */
  readonly password?: Maker;
  /** Set where the family wrote its trust policy. */
  readonly opened?: Opened;
  /** A role that was only assumed: others use it too. */
  readonly isShared: boolean;
}

export interface SessionSeen {
  readonly identity: string;
  readonly accessKey: string;
  /** ISO 8601 UTC, "" where the record does not say. */
  readonly createdAt: string;
  readonly lastUsed: string;
}

export interface ConsoleLogin {
  readonly principal: string;
  readonly at: string;
  readonly eventId: string;
}

/** Something else that was made: an instance, an instance profile, a function. */
export interface MadeThing {
  readonly id: string;
  readonly made: Maker;
}

export interface Family {
  readonly members: readonly Member[];
  readonly minted: readonly SessionLine[];
  /** Sessions that acted and whose minting is not in the logs. */
  readonly seen: readonly SessionSeen[];
  readonly logins: readonly ConsoleLogin[];
  readonly things: readonly MadeThing[];
  /** Long-term keys that it made, by their id, for whomever. */
  readonly keys: ReadonlyMap<string, Maker>;
  /** Tags of users and roles, by ARN without the path, and who set them last. The key in small letters. */
  readonly tagged: readonly { readonly id: string; readonly key: string; readonly made: Maker }[];
  readonly cutShort: readonly string[];
}

interface Asking {
  readonly evidence: Evidence;
  readonly signal: AbortSignal;
  progress(step: string): void;
  now(): Date;
}

const maxMembers = 60;

/** Never throws for what records hold; throws what `evidence` throws. `seeds` are identities, keys, sessions and instances. */
export async function familyOf(seeds: readonly Artifact[], ctx: Asking): Promise<Family> {
  const book = new Book();
  const queue: { artifact: Artifact; isSeed: boolean }[] = seeds.map((artifact) => ({ artifact, isSeed: true }));
  const asked = new Set<string>();
  const cutShort = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { artifact, isSeed } = next;
    const key = nameKeyOfArn(artifact.id) ?? artifact.id;
    if (asked.has(key)) continue;
    if (asked.size >= maxMembers) {
      cutShort.add(`stopped after ${maxMembers} identities of the family: there are more`);
      break;
    }
    asked.add(key);
    const lineage = await followSessions(artifact, ctx);
    for (const gap of lineage.cutShort) cutShort.add(gap);
    book.sessions(sessionLines(lineage, ctx.now()), seenSessions(lineage));
    if (isSeed || artifact.kind === 'user') book.member(artifact, {});
    // The way in: who holds a session holds what it was minted from, or took it from there.
    const origin = lineage.origin.at(-1);
    const ofCalls = lineage.calls.find((record) => callerOf(record, artifact) !== undefined);
    const holder = nodeOfArn(origin?.by ?? '') ?? (ofCalls && callerOf(ofCalls, artifact));
    if (
      isSeed &&
      holder !== undefined &&
      (holder.kind === 'user' || holder.kind === 'role' || holder.kind === 'root')
    ) {
      book.member(holder, holder.kind === 'role' ? { isShared: true } : {});
      if (holder.kind === 'user') queue.push({ artifact: holder, isSeed: false });
    }
    for (const record of [...lineage.calls, ...lineage.own]) {
      book.login(record, artifact);
      book.tags(record);
    }
    for (const record of lineage.calls) {
      for (const found of book.made(record)) queue.push({ artifact: found, isSeed: false });
    }
  }
  return { ...book.all(), cutShort: [...cutShort] };
}

/** Whose credential it is: the user of a key, the role of an instance or session. */
function callerOf(record: CloudTrailRecord, artifact: Artifact): GraphNode | undefined {
  const principal = principalOf(record);
  if (principal === undefined) return undefined;
  if (artifact.kind === 'accessKey') {
    return principal.kind === 'user' || principal.kind === 'root' ? principal : roleOf(record, principal);
  }
  if (artifact.kind === 'session' || artifact.kind === 'resource') return roleOf(record, principal);
  return undefined;
}

class Book {
  readonly #members = new Map<string, Member>();
  readonly #minted = new Map<string, SessionLine>();
  readonly #seen = new Map<string, SessionSeen>();
  readonly #logins = new Map<string, ConsoleLogin>();
  readonly #things = new Map<string, MadeThing>();
  readonly #keys = new Map<string, Maker>();
  readonly #tagged = new Map<string, Family['tagged'][number]>();

  member({ kind, id }: Artifact, more: Partial<Pick<Member, 'made' | 'password' | 'opened' | 'isShared'>>): void {
    if (kind !== 'user' && kind !== 'role' && kind !== 'root') return;
    const key = nameKeyOfArn(id) ?? id;
    const had = this.#members.get(key);
    const isShared = (had?.isShared ?? true) && (more.isShared ?? false) && more.made === undefined;
    this.#members.set(key, { ...had, kind, id: had?.id ?? id, ...definedOf(more), isShared });
  }

  sessions(minted: readonly SessionLine[], seen: readonly SessionSeen[]): void {
    for (const line of minted) {
      this.#minted.set(line.accessKey ?? line.eventId, line);
      const role = line.role ?? (line.identity ? roleArnOfSession(line.identity) : undefined);
      if (role && nodeOfArn(role)?.kind === 'role') this.member({ kind: 'role', id: role }, { isShared: true });
    }
    for (const { identity, accessKey, createdAt, lastUsed } of seen) {
      this.#seen.set(`${identity}\n${accessKey}`, { identity, accessKey, createdAt, lastUsed });
      const role = roleArnOfSession(identity);
      if (role) this.member({ kind: 'role', id: role }, { isShared: true });
    }
  }

  /** Sign-ins of the identity, by password or through federation. */
  login(record: CloudTrailRecord, artifact: Artifact): void {
    if (record.eventName !== 'ConsoleLogin' || !succeeded(record)) return;
    const principal = principalOf(record);
    if (principal === undefined || (artifact.kind === 'user' && !sameThing(principal.id, artifact.id))) return;
    this.#logins.set(record.eventID, { principal: principal.id, at: record.eventTime, eventId: record.eventID });
  }

  /** By the user or role that the call names: its caller tags others too. IAM takes `Owner` and `owner` for one key. */
  tags(record: CloudTrailRecord): void {
    const kind = /^(?:Tag|Create)(User|Role)$/.exec(record.eventName)?.[1]?.toLowerCase();
    const id = kind === undefined ? undefined : namedIn(record, kind as 'user' | 'role')?.id;
    if (id === undefined || !succeeded(record)) return;
    const tags = record.requestParameters?.tags;
    for (const tag of Array.isArray(tags) ? tags : []) {
      const key = (tag as { key?: unknown } | null)?.key;
      if (typeof key !== 'string') continue;
      const at = `${id}\n${key.toLowerCase()}`;
      const later = this.#tagged.get(at)?.made.at ?? '';
      if (record.eventTime >= later) this.#tagged.set(at, { id, key: key.toLowerCase(), made: makerOf(record) });
    }
  }

  /** Notes what a call made, and returns the identities that belong to the family by it. */
  made(record: CloudTrailRecord): readonly GraphNode[] {
    if (!succeeded(record)) return [];
    const made = makerOf(record);
    const found: GraphNode[] = [];
    for (const edge of linksOf(record).edges) {
      if (edge.kind !== 'created') continue;
      const node = linksOf(record).nodes.find(({ id }) => id === edge.to);
      if (node?.kind === 'user' || node?.kind === 'role') {
        this.member(node, { made });
        found.push(node);
      } else if (node?.kind === 'accessKey') this.#keys.set(node.id, made);
      else if (node?.kind === 'resource') this.#things.set(node.id, { id: node.id, made });
    }
    const owner = armedIn(record);
    if (owner !== undefined) {
      this.member(owner, /LoginProfile$/.test(record.eventName) ? { password: made } : {});
      found.push(owner);
    }
    const role = openedIn(record);
    if (role !== undefined) {
      const opened = { maker: made, policy: at(record.requestParameters, 'policyDocument') ?? '' };
      this.member(role, { opened, isShared: true });
    }
    return found;
  }

  all(): Omit<Family, 'cutShort'> {
    return {
      members: [...this.#members.values()],
      minted: [...this.#minted.values()].sort((a, b) => (a.eventTime < b.eventTime ? -1 : 1)),
      seen: [...this.#seen.values()],
      logins: [...this.#logins.values()],
      things: [...this.#things.values()],
      keys: this.#keys,
      tagged: [...this.#tagged.values()],
    };
  }
}

const arming =
  /^(CreateAccessKey|CreateLoginProfile|UpdateLoginProfile|UploadSSHPublicKey|UploadSigningCertificate|CreateServiceSpecificCredential|ResetServiceSpecificCredential|EnableMFADevice)$/;

/** The user to whom a call gave a credential. */
function armedIn(record: CloudTrailRecord): GraphNode | undefined {
  if (record.eventSource !== 'iam.amazonaws.com' || !arming.test(record.eventName)) return undefined;
  const name =
    at(record.requestParameters, 'userName') ??
    at(record.responseElements, 'accessKey', 'userName') ??
    at(record.responseElements, 'loginProfile', 'userName');
  const principal = principalOf(record);
  if (name === undefined) return principal?.kind === 'user' ? principal : undefined;
  return named(record, 'user', name);
}

/** The role whose trust policy a call wrote. */
function openedIn(record: CloudTrailRecord): GraphNode | undefined {
  if (record.eventName !== 'UpdateAssumeRolePolicy') return undefined;
  return namedIn(record, 'role');
}

/** The user or role that a call to IAM asks for; without its path, which the request does not tell. */
function namedIn(record: CloudTrailRecord, kind: 'user' | 'role'): GraphNode | undefined {
  if (record.eventSource !== 'iam.amazonaws.com') return undefined;
  const name = at(record.requestParameters, `${kind}Name`);
  return name === undefined ? undefined : named(record, kind, name);
}

function named(record: CloudTrailRecord, kind: 'user' | 'role', name: string): GraphNode | undefined {
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) return undefined;
  return { kind, id: `arn:${partitionOf(record)}:iam::${accountOf(record)}:${kind}/${name}` };
}

function makerOf(record: CloudTrailRecord): Maker {
  return { by: principalOf(record)?.id ?? '', at: record.eventTime, eventId: record.eventID };
}

function definedOf({ made, password, opened }: Partial<Pick<Member, 'made' | 'password' | 'opened'>>) {
  return { ...(made && { made }), ...(password && { password }), ...(opened && { opened }) };
}
