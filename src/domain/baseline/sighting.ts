/** One record as baselines see it, and back. */
import type { Sighting } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIp } from '../address.ts';
import { accountOf, type GraphNode, nodeOfArn, parseArn, principalGroup, principalOf, text } from '../principal.ts';
import { outcomeOf } from '../sightings.ts';
import { isoOf } from '../window.ts';

const reads = /^(Get|List|Describe|Head|Lookup|Search|BatchGet|Assume)/;

/** Who is compared with its own past: not services, nor what they do for somebody who has a record of his own. */
export function comparedNode(record: CloudTrailRecord): GraphNode | undefined {
  const by = record.userIdentity.invokedBy;
  if (typeof by === 'string' && /\.amazonaws\.com(\.cn)?$/.test(by)) return undefined;
  const node = principalOf(record);
  return node?.kind === 'service' ? undefined : node;
}

export function sightingOf(record: CloudTrailRecord, node: GraphNode, shared: (text: string) => string): Sighting {
  const { eventName, readOnly } = record;
  return {
    at: Date.parse(record.eventTime),
    eventId: record.eventID,
    eventName: shared(eventName),
    eventSource: shared(record.eventSource),
    region: shared(record.awsRegion),
    ip: shared(parseIp(record.sourceIPAddress) ?? ''),
    account: shared(accountOf(record)),
    principal: shared(node.id),
    key: shared(text(record.userIdentity.accessKeyId) ?? ''),
    isWrite: readOnly === undefined ? !reads.test(eventName) : !readOnly,
    isConsole: record.sessionCredentialFromConsole === 'true' || record.userAgent.includes('Mozilla/'),
    isDenied: outcomeOf(record) === 'denied',
  };
}

/** Group of a sighting: all sessions of a role as one. */
export function groupOf({ principal }: Sighting): string {
  const node = nodeOfArn(principal);
  return node ? principalGroup(node) : principal;
}

const types = {
  root: 'Root',
  user: 'IAMUser',
  session: 'AssumedRole',
  role: 'Role',
  federatedUser: 'FederatedUser',
} as const;

/** The part of the record that exceptions, stories and cards read. */
export function recordOfSighting(sighting: Sighting): CloudTrailRecord {
  const { at, eventId, eventName, eventSource, region, ip, account, principal, key } = sighting;
  const kind = nodeOfArn(principal)?.kind;
  const type = kind === undefined ? undefined : (types as Readonly<Record<string, string>>)[kind];
  const words = parseArn(principal)?.resource.split('/');
  // A user's ARN has its path, a session's the name that its caller chose.
  const name = kind === 'session' ? words?.[1] : words?.at(-1);
  return {
    eventID: eventId,
    eventTime: isoOf(at),
    eventName,
    eventSource,
    awsRegion: region,
    sourceIPAddress: ip,
    userAgent: '',
    userIdentity: {
      arn: principal,
      ...(type === undefined ? {} : { type }),
      ...(name === undefined ? {} : { userName: name }),
      ...(key === '' ? {} : { accessKeyId: key }),
      ...(account === '' ? {} : { accountId: account }),
    },
    ...(account === '' ? {} : { recipientAccountId: account }),
    ...(sighting.isDenied ? { errorCode: 'AccessDenied' } : {}),
    readOnly: !sighting.isWrite,
  };
}

const rank = ({ eventId, eventName, region, ip, principal }: Sighting): string =>
  [eventId, eventName, region, ip, principal].join('\n');

/** The same answer whichever comes first, also where different events share an id. */
export function isBefore(a: Sighting, b: Sighting): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.eventId !== b.eventId) return a.eventId < b.eventId;
  return rank(a) < rank(b);
}

const maxShared = 100_000;

/** The same text as one string, however many records it came in. */
export function sharedTexts(): (text: string) => string {
  const texts = new Map<string, string>();
  return (one) => {
    const known = texts.get(one);
    if (known !== undefined) return known;
    if (texts.size < maxShared) texts.set(one, one);
    return one;
  };
}
