/** How LookupEvents is asked for an artifact: it takes one exact attribute per call, and none for addresses (DOMAIN.md 3.7). */
import type { LookupAttributeKey } from '@aws-sdk/client-cloudtrail';
import type { Artifact } from '../contracts/artifact.ts';
import { formatArn, lastSegment, parseArnStrict } from '../domain/arn.ts';
import { sessionOf } from '../domain/principal.ts';
import { shortArn } from '../domain/short-arn.ts';

export interface Lookup {
  readonly key: LookupAttributeKey;
  readonly value: string;
  /** Only in this account, where it is one of those looked at. */
  readonly account?: string;
  /** Only in this Region; `global` is the one where IAM and the like log. Everywhere when absent. */
  readonly region?: string;
}

/** `scan`: everything in the window has to be read, in the account given or in all. */
export type Question =
  | { readonly scan: false; readonly lookups: readonly Lookup[] }
  | { readonly scan: true; readonly account?: string };

/** Longest attribute value that the API takes. */
const maxValueLength = 2000;

/**
 * The cheapest calls that find every record of the artifact. They find more than that (a role session may be called like a
 * user); the index sorts it out.
 */
export function questionOf(artifact: Artifact): Question {
  const { kind, id } = artifact;
  if (kind === 'ip' || kind === 'service') return { scan: true };
  if (kind === 'account') return { scan: true, account: id };
  // No attribute holds the subject of a web identity, an Identity Center user's id or a source identity.
  if (kind === 'federatedUser' && parseArnStrict(id)?.service !== 'sts') return { scan: true };
  // Nor who bears a unique id: calls name it in `userIdentity` alone.
  if (kind === 'resource' && /^A(IDA|ROA)[A-Z0-9]+$/.test(id)) return { scan: true };
  const lookups = lookupsOf(kind, id).filter(({ value }) => value !== '' && value.length <= maxValueLength);
  const distinct = new Map(lookups.map((lookup) => [JSON.stringify(lookup), lookup]));
  return { scan: false, lookups: [...distinct.values()] };
}

function lookupsOf(kind: Artifact['kind'], id: string): readonly Lookup[] {
  const arn = parseArnStrict(id);
  const account = /^\d{12}$/.test(arn?.accountId ?? '') ? { account: arn?.accountId as string } : {};
  const name = arn ? lastSegment(arn) : id;
  const global = { ...account, region: 'global' };
  switch (kind) {
    case 'event':
      return [{ key: 'EventId', value: id }];
    case 'user':
      return [
        // Everywhere: in the console a user takes a role of another account under his own name, and only that account logs it.
        { key: 'Username', value: name },
        { key: 'ResourceName', value: name, ...global },
        { key: 'ResourceName', value: id, ...global },
      ];
    case 'root':
      return [{ key: 'Username', value: 'root', ...account }];
    case 'role':
      // Who assumed it, from whichever account; its sessions are artifacts of their own.
      return [
        { key: 'ResourceName', value: id },
        { key: 'ResourceName', value: name, ...global },
      ];
    case 'session':
      return [
        { key: 'Username', value: sessionOf(id)?.session ?? name, ...account },
        { key: 'ResourceName', value: id },
      ];
    case 'federatedUser':
      return [
        { key: 'Username', value: name, ...account },
        { key: 'ResourceName', value: id },
      ];
    case 'accessKey':
      return [
        { key: 'AccessKeyId', value: id },
        // STS mints in every Region, IAM makes keys in one.
        { key: 'ResourceName', value: id, ...(id.startsWith('ASIA') ? {} : { region: 'global' }) },
      ];
    default:
      return resourceLookups(id, name);
  }
}

const secretReads = ['GetSecretValue', 'BatchGetSecretValue'];

/** Services write the id, the name or the ARN as they please. */
function resourceLookups(id: string, name: string): readonly Lookup[] {
  const arn = parseArnStrict(id);
  if (arn) {
    const region = arn.service === 'iam' ? { region: 'global' } : arn.region === '' ? {} : { region: arn.region };
    const short = parseArnStrict(shortArn(id) ?? '');
    const values = new Set([id, name, ...(short ? [formatArn(short), lastSegment(short)] : [])]);
    if (arn.service === 's3') values.add(arn.resource.split('/', 1)[0] ?? '');
    // Names that hold slashes, after the kind of thing.
    const path = /^(?:secret:|parameter(?=\/))(.+)$/.exec((short ?? arn).resource)?.[1];
    if (path !== undefined) values.add(path).add(path.replace(/^\//, ''));
    const lookups: Lookup[] = [...values].map((value) => ({ key: 'ResourceName', value, ...region }));
    // Whether reads of a secret list it is not documented, and its whole ARN may not be known: those of the Region are read.
    if (arn.service === 'secretsmanager')
      for (const value of secretReads) lookups.push({ key: 'EventName', value, ...region });
    return lookups;
  }
  const lookups: Lookup[] = [{ key: 'ResourceName', value: id }];
  // The role session of an instance is called like the instance; `AROA...:session` like its second half.
  if (/^i-[0-9a-z]+$/.test(id)) lookups.push({ key: 'Username', value: id });
  const session = /^AROA[A-Z0-9]+:(.+)$/.exec(id)?.[1];
  if (session) lookups.push({ key: 'Username', value: session });
  return lookups;
}
