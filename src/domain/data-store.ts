/** A bucket, table or secret as it is typed, and the ids under which records name it. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { UserError } from '../contracts/errors.ts';
import { formatArn, parseArnStrict } from './arn.ts';
import { unwrapPasted } from './artifact-text.ts';
import { fieldsOf } from './links-fields.ts';
import { partitionOfRegion } from './partition.ts';

export const storeKinds = ['bucket', 'table', 'secret'] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface DataStore {
  /** As typed, unwrapped: an ARN or a bare name. */
  readonly id: string;
  /** Undefined for a bare name that may be any of them. */
  readonly kind: StoreKind | undefined;
  /** Without ARN, and for secrets without the six characters that AWS adds. */
  readonly name: string;
}

const accepts =
  'Give a bucket, DynamoDB table or secret: its ARN, s3://NAME, or its name with --kind bucket, table or secret.';

/** Throws UserError, with what is accepted, for everything that is no bucket, table or secret. */
export function parseStore(text: string, kind: StoreKind | undefined): DataStore {
  const typed = /^s3:\/\/([a-z0-9.-]{3,63})(\/|$)/.exec(text.trim());
  if (typed?.[1]) return { id: typed[1], kind: 'bucket', name: typed[1] };
  const { word } = unwrapPasted(text, accepts);
  const arn = parseArnStrict(word);
  if (arn === undefined) {
    if (word.startsWith('arn:') || !/^[\w/+=.@-]{3,512}$/.test(word)) {
      throw new UserError('This is no bucket, table or secret.', accepts);
    }
    return { id: word, kind, name: word };
  }
  const { service, resource } = arn;
  if (service === 's3') {
    const bucket = resource.split('/', 1)[0] ?? resource;
    return { id: `arn:${arn.partition}:s3:::${bucket}`, kind: 'bucket', name: bucket };
  }
  const table = /^table\/([\w.-]+)/.exec(resource)?.[1];
  if (service === 'dynamodb' && table) return { id: word, kind: 'table', name: table };
  const secret = /^secret:(.+)$/.exec(resource)?.[1];
  if (service === 'secretsmanager' && secret) return { id: word, kind: 'secret', name: withoutSuffix(secret) };
  throw new UserError(`An ARN of ${service} is no bucket, table or secret.`, accepts);
}

/** Secrets Manager adds `-` and six characters to the name in the ARN. */
function withoutSuffix(secret: string): string {
  return secret.replace(/-[A-Za-z0-9]{6}$/, '');
}

/** Another secret may be called like this one's whole ARN ends: its name and six characters. A call that gives a bare name tells. */
export function isOfOther({ eventSource, requestParameters }: CloudTrailRecord, { id, name }: DataStore): boolean {
  if (eventSource !== 'secretsmanager.amazonaws.com') return false;
  const asked = fieldsOf(requestParameters).filter(({ key }) => key === 'secretid');
  const isIt = (value: string) => value.startsWith('arn:') || value === name || id.endsWith(`:secret:${value}`);
  return asked.length > 0 && !asked.some(({ value }) => isIt(value));
}

interface Place {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
}

const maxPlaces = 100;

/**
 * Everything to ask for. A bucket is found by its ARN; tables and secrets carry account and Region in theirs, so a bare name
 * is asked for in every place that is known; `cut` says how many places were left out. A secret's copies in other Regions, which
 * anybody with the right can make, have its ARN but for the Region, and give away the same.
 */
export function artifactsOf(store: DataStore, { accounts, regions }: Place): { ids: readonly Artifact[]; cut: number } {
  const { id, kind, name } = store;
  const ids = new Set<string>([id]);
  const own = parseArnStrict(id);
  if (kind === 'bucket' || kind === undefined) {
    const partitions = new Set(['aws', ...regions.map(partitionOfRegion)]);
    for (const partition of own ? [own.partition] : partitions) ids.add(`arn:${partition}:s3:::${name}`);
  }
  if (kind === 'secret' && own !== undefined) for (const region of regions) ids.add(formatArn({ ...own, region }));
  let cut = 0;
  if (!id.startsWith('arn:') && kind !== 'bucket') {
    const places = accounts.flatMap((account) => regions.map((region) => ({ account, region })));
    cut = Math.max(0, places.length - maxPlaces);
    for (const { account, region } of places.slice(0, maxPlaces)) {
      const base = `arn:${partitionOfRegion(region)}`;
      if (kind !== 'secret') ids.add(`${base}:dynamodb:${region}:${account}:table/${name}`);
      if (kind !== 'table') ids.add(`${base}:secretsmanager:${region}:${account}:secret:${name}`);
    }
  }
  return { ids: [...ids].map((one) => ({ kind: 'resource', id: one })), cut };
}
