/** Records in memory, found by every artifact that they touch. Shared by the folder and the LookupEvents source. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from '../domain/address.ts';
import { lastSegment, parseArnStrict } from '../domain/arn.ts';
import { contentHash } from '../domain/content-hash.ts';
import { linksOf } from '../domain/links.ts';
import { nameKeyOfArn } from '../domain/principal.ts';
import { canonicalText, compareRecords } from '../domain/record.ts';
import { shortArn } from '../domain/short-arn.ts';

export interface RecordIndex {
  /** False where the very same record is there already. Different records that share an eventID are both kept. */
  add(record: CloudTrailRecord): boolean;
  /** True where the very same record is there already. */
  has(record: CloudTrailRecord): boolean;
  /** In order of time; the same objects at every call. */
  recordsOf(artifact: Artifact): readonly CloudTrailRecord[];
  size(): number;
  /** Every record, in the order in which they came. */
  all(): readonly CloudTrailRecord[];
  /** Accounts and Regions that the records name, sorted, and the first and last eventTime. */
  span(): {
    readonly accounts: readonly string[];
    readonly regions: readonly string[];
    readonly first: string | undefined;
    readonly last: string | undefined;
  };
}

/** Record numbers of an id: most ids stand in one record only, which needs no list. */
type Postings = Map<string, number | number[]>;

export function createRecordIndex(): RecordIndex {
  const records: CloudTrailRecord[] = [];
  const byId: Postings = new Map();
  const byEventId: Postings = new Map();
  /** Content hashes, only of event ids that came more than once. */
  const seen = new Map<string, Set<string>>();
  const answers = new Map<string, { readonly size: number; readonly records: readonly CloudTrailRecord[] }>();
  const accounts = new Set<string>();
  const regions = new Set<string>();
  let first: CloudTrailRecord | undefined;
  let last: CloudTrailRecord | undefined;
  let linked = 0;

  /** Finding the ids of a record costs more than reading it, and who reads the whole window asks for none. */
  function linkAll(): void {
    for (; linked < records.length; linked += 1) {
      const record = records[linked];
      if (record) for (const id of idsOf(record)) post(byId, id, linked);
    }
  }

  /** The hashes of the records with this event id; hashed only once a second one comes. */
  function hashesOf(eventID: string): Set<string> | undefined {
    const earlier = byEventId.get(eventID);
    if (earlier === undefined) return undefined;
    const known = seen.get(eventID);
    if (known) return known;
    const hashes = new Set(numbersOf(earlier).map((number) => hashOf(records[number])));
    seen.set(eventID, hashes);
    return hashes;
  }

  function has(record: CloudTrailRecord): boolean {
    return hashesOf(record.eventID)?.has(hashOf(record)) ?? false;
  }

  function find(artifact: Artifact): readonly CloudTrailRecord[] {
    const numbers = new Set<number>();
    if (artifact.kind !== 'event') linkAll();
    const postings = artifact.kind === 'event' ? byEventId : byId;
    const ids = artifact.kind === 'event' ? [artifact.id] : spellingsOf(artifact.id);
    for (const id of ids) for (const number of numbersOf(postings.get(id))) numbers.add(number);
    return [...numbers].flatMap((number) => records[number] ?? []).sort(compareRecords);
  }

  return {
    has,
    add(record) {
      const hashes = hashesOf(record.eventID);
      if (hashes) {
        const own = hashOf(record);
        if (hashes.has(own)) return false;
        hashes.add(own);
      }
      const number = records.push(record) - 1;
      post(byEventId, record.eventID, number);
      for (const account of [record.recipientAccountId ?? record.userIdentity.accountId])
        if (account) accounts.add(account);
      if (record.awsRegion) regions.add(record.awsRegion);
      if (!first || record.eventTime < first.eventTime) first = record;
      if (!last || record.eventTime > last.eventTime) last = record;
      return true;
    },
    recordsOf(artifact) {
      const key = `${artifact.kind} ${artifact.id}`;
      const known = answers.get(key);
      if (known?.size === records.length) return known.records;
      const found = find(artifact);
      answers.set(key, { size: records.length, records: found });
      return found;
    },
    size: () => records.length,
    all: () => records,
    span: () => ({
      accounts: [...accounts].sort(),
      regions: [...regions].sort(),
      first: first?.eventTime,
      last: last?.eventTime,
    }),
  };
}

function hashOf(record: CloudTrailRecord | undefined): string {
  return contentHash(canonicalText(record), 'base64');
}

function numbersOf(posting: number | number[] | undefined): readonly number[] {
  return posting === undefined ? [] : typeof posting === 'number' ? [posting] : posting;
}

function post(postings: Postings, id: string, number: number): void {
  const known = postings.get(id);
  if (known === undefined) postings.set(id, number);
  else if (typeof known === 'number') postings.set(id, [known, number]);
  else known.push(number);
}

/** Every id under which the record is found. */
function idsOf(record: CloudTrailRecord): ReadonlySet<string> {
  const ids = new Set<string>();
  const add = (value: unknown): void => {
    if (typeof value === 'string' && value !== '') ids.add(value);
  };
  // A copy, since links are remembered as long as their record: those of all records at once would take as much memory again.
  for (const node of linksOf({ ...record }).nodes) {
    ids.add(node.id);
    for (const alias of aliasesOf(node.id)) ids.add(alias);
    const short = shortArn(node.id);
    if (short !== undefined) ids.add(inFull(short));
  }
  const who = record.userIdentity;
  const issuer = who.sessionContext?.sessionIssuer;
  for (const value of [who.arn, who.accessKeyId, who.invokedBy, who.accountId, record.recipientAccountId]) add(value);
  for (const value of [issuer?.arn, issuer?.principalId, who.principalId, parseIp(record.sourceIPAddress)]) add(value);
  if (typeof issuer?.arn === 'string') for (const alias of aliasesOf(issuer.arn)) add(alias);
  // `AROA...:session` is also found by the role's unique id.
  if (typeof who.principalId === 'string') add(who.principalId.split(':', 1)[0]);
  return ids;
}

/** All ids under which records of the artifact are posted: asked in full it is found by its name, and by its name in full. */
function spellingsOf(id: string): readonly string[] {
  const short = shortArn(id);
  return [id, ...aliasesOf(id), inFull(id), ...(short === undefined ? [] : [short])];
}

/** The id of everything whose ARN is longer than the short one. */
function inFull(short: string): string {
  return `${short} in full`;
}

/**
 * Other spellings of an id, the same on both sides of a search: users and roles without their path (requests name them so),
 * EC2 resources and buckets without their ARN.
 */
function aliasesOf(id: string): readonly string[] {
  if (!id.startsWith('arn:')) return none;
  const known = knownAliases.get(id);
  if (known) return known;
  const aliases = findAliases(id);
  if (knownAliases.size < 50_000) knownAliases.set(id, aliases);
  return aliases;
}

const none: readonly string[] = [];
/** The same ARNs come in record after record. Bounded, since they come from outside. */
const knownAliases = new Map<string, readonly string[]>();

function findAliases(id: string): readonly string[] {
  const nameKey = nameKeyOfArn(id);
  if (nameKey) return [nameKey];
  const parts = parseArnStrict(id);
  if (parts?.service === 'ec2' && parts.resource.includes('/')) return [lastSegment(parts)];
  if (parts?.service === 's3' && !parts.resource.includes('/')) return [parts.resource];
  return none;
}
