/** Tells what a pasted text is: the artifact that a pivot, a search or a containment starts from. */
import type { Artifact } from '../contracts/artifact.ts';
import { UserError } from '../contracts/errors.ts';
import { parseIp } from './address.ts';
import { type ArnParts, lastSegment, parseArnStrict } from './arn.ts';
import { unwrapPasted } from './artifact-text.ts';
import { sourceIdentityMark, sourceIdentityNode } from './links-behind.ts';

export interface Classified {
  readonly artifact: Artifact;
  /** What it was taken for, in words: `IAM user alice in account 111122223333`. Holds text from outside. */
  readonly takenFor: string;
  /** What looked odd about it. */
  readonly note?: string;
}

const accepts =
  'I can pivot on an ARN (user, role, role session, root, any resource), an access key id (AKIA..., ASIA...), an IP address, a resource id (i-..., sg-..., vol-...), a 12-digit account, an Identity Center user id or an event id.';

/** Names of the resource ids that are worth a word of their own; any `prefix-hex` id is accepted. */
const resourceWords: Readonly<Record<string, string>> = {
  i: 'EC2 instance',
  sg: 'security group',
  vol: 'EBS volume',
  snap: 'EBS snapshot',
  ami: 'machine image',
  eni: 'network interface',
  subnet: 'subnet',
  vpc: 'VPC',
  lt: 'launch template',
  rtb: 'route table',
  igw: 'internet gateway',
  eipalloc: 'elastic IP allocation',
  nat: 'NAT gateway',
  acl: 'network ACL',
  vpce: 'VPC endpoint',
  pcx: 'VPC peering connection',
  key: 'EC2 key pair',
  r: 'EC2 reservation',
  sir: 'Spot Instance request',
  fleet: 'EC2 fleet',
  tgw: 'transit gateway',
  fs: 'EFS file system',
};

const uniqueIds: Readonly<Record<string, string>> = {
  AIDA: 'unique id of an IAM user',
  AROA: 'unique id of an IAM role',
  AGPA: 'unique id of an IAM group',
  AIPA: 'unique id of an instance profile',
  ANPA: 'unique id of a managed policy',
};

const keyWords: Readonly<Record<string, string>> = {
  AKIA: 'long-term access key',
  ASIA: 'temporary access key',
  ABIA: 'STS bearer token key',
  ACCA: 'context-specific credential',
};

/**
 * Classifies one pasted word. Takes what people paste: Slack's link markup, quotes and backticks, defanged addresses, trailing
 * punctuation. Throws UserError, with a hint, for everything that is no artifact; never echoes what looks like a secret.
 */
export function classify(text: string): Classified {
  const { word, host } = unwrapPasted(text, accepts);
  const found =
    arn(word) ??
    inLowerCase(word) ??
    accessKey(word) ??
    address(word) ??
    (host ? address(host) : undefined) ??
    account(word) ??
    person(word) ??
    eventId(word) ??
    resource(word) ??
    uniqueId(word) ??
    sourceIdentity(word) ??
    service(word);
  if (found) return found;
  throw new UserError(`"${short(word)}" is nothing that can be pivoted on.`, hintFor(word));
}

function arn(typed: string): Classified | undefined {
  if (!/^arn:/i.test(typed)) return undefined;
  const word = withLowerHead(typed);
  const parts = parseArnStrict(word);
  if (!parts) {
    throw new UserError(
      `"${short(word)}" starts like an ARN but is not one.`,
      'An ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, with a 12-digit account: arn:aws:iam::111122223333:user/alice',
    );
  }
  return identity(word, parts) ?? resourceArn(word, parts);
}

function identity(id: string, parts: ArnParts): Classified | undefined {
  const { service, resource } = parts;
  const where = `in account ${parts.accountId}${parts.partition === 'aws' ? '' : ` (${parts.partition})`}`;
  if (service !== 'iam' && service !== 'sts') return undefined;
  const [type, ...rest] = resource.split('/');
  const name = rest.at(-1) ?? '';
  if (/^\d{12}$/.test(parts.accountId)) {
    if (service === 'iam' && resource === 'root')
      return { artifact: { kind: 'root', id }, takenFor: `root user of account ${parts.accountId}` };
    if (service === 'iam' && type === 'user' && name)
      return { artifact: { kind: 'user', id }, takenFor: `IAM user ${name} ${where}` };
    if (service === 'iam' && type === 'role' && name)
      return { artifact: { kind: 'role', id }, takenFor: `role ${name} ${where}` };
    if (service === 'sts' && type === 'assumed-role' && rest.length === 2 && name) {
      return { artifact: { kind: 'session', id }, takenFor: `session ${name} of role ${rest[0]} ${where}` };
    }
    if (service === 'sts' && type === 'federated-user' && name) {
      return { artifact: { kind: 'federatedUser', id }, takenFor: `federated user ${name} ${where}` };
    }
  }
  if (/^(user|role|assumed-role|federated-user|root)$/.test(type ?? '')) {
    throw new UserError(
      `"${short(id)}" lacks a part.`,
      'Users are arn:aws:iam::111122223333:user/NAME, role sessions arn:aws:sts::111122223333:assumed-role/ROLE/SESSION.',
    );
  }
  return undefined;
}

/** CloudTrail writes EC2's bare ids, so an EC2 ARN is asked for by its id. */
function resourceArn(id: string, parts: ArnParts): Classified {
  const bare = parts.service === 'ec2' ? resource(lastSegment(parts)) : undefined;
  if (bare) return { ...bare, note: bare.note ?? `Asked for by its id, ${bare.artifact.id}.` };
  return { artifact: { kind: 'resource', id }, takenFor: `${parts.service} resource ${lastSegment(parts)}` };
}

/** Ids and the fixed words of an ARN that something has put into capitals; names keep theirs, IAM finds them in any case. */
function inLowerCase(word: string): Classified | undefined {
  const lower = word.toLowerCase();
  if (lower === word || !/^[A-Z][A-Z0-9-]{0,12}-[0-9A-F]{8,17}$/.test(word)) return undefined;
  const found = resource(lower);
  return found && { ...found, note: found.note ?? 'Ids are lower case; looked for it so.' };
}

/** `ARN:AWS:IAM::111122223333:USER/alice`: the fixed words are lower case, the name stays as it was typed. */
function withLowerHead(word: string): string {
  return word
    .replace(/^arn:[^:]*:[^:]*:[^:]*:/i, (head) => head.toLowerCase())
    .replace(
      /^(arn:[^:]*:(?:iam|sts)::\d{12}:)(user|role|assumed-role|federated-user|root)(?=\/|$)/i,
      (_, head, type) => `${head}${String(type).toLowerCase()}`,
    );
}

function accessKey(word: string): Classified | undefined {
  const match = /^(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,124}$/i.exec(word);
  if (!match) return undefined;
  const id = word.toUpperCase();
  const odd = /^[A-Z]{4}[A-Z2-7]{16}$/.test(id)
    ? undefined
    : 'AWS never issues a key id of this form; looking for it anyway.';
  const note = id === word ? odd : 'Key ids are upper case; looked for it so.';
  return {
    artifact: { kind: 'accessKey', id },
    takenFor: keyWords[id.slice(0, 4)] ?? 'access key',
    ...(note ? { note } : {}),
  };
}

function address(word: string): Classified | undefined {
  if (/^[0-9a-f:.[\]]+\/\d{1,3}$/i.test(word)) {
    throw new UserError(
      `"${short(word)}" is a range of addresses.`,
      'CloudTrail is searched by single addresses: give one of them.',
    );
  }
  const plain = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(word)?.[1] ?? /^(\d[\d.]+):\d{1,5}$/.exec(word)?.[1] ?? word;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  const id = parseIp(mapped ?? plain);
  if (id === undefined) return undefined;
  const note = plain !== word ? 'The port was left out.' : mapped ? 'Taken as the IPv4 address inside it.' : undefined;
  return {
    artifact: { kind: 'ip', id },
    takenFor: id.includes(':') ? 'IPv6 address' : 'IPv4 address',
    ...(note ? { note } : {}),
  };
}

function account(word: string): Classified | undefined {
  if (!/^(\d{12}|\d{4}-\d{4}-\d{4})$/.test(word)) return undefined;
  return { artifact: { kind: 'account', id: word.replaceAll('-', '') }, takenFor: 'AWS account' };
}

/** Identity stores give ids `xxxxxxxx-xxx1-70xx-...`, older ones a number of their own before a random one; events have random ids. */
const personForms =
  /^(?:[0-9a-f]{10}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|[0-9a-f]{8}-[0-9a-f]{3}1-70[0-9a-f]{2})-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function person(word: string): Classified | undefined {
  if (!personForms.test(word)) return undefined;
  return { artifact: { kind: 'federatedUser', id: word.toLowerCase() }, takenFor: 'Identity Center user' };
}

function eventId(word: string): Classified | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(word)) return undefined;
  return { artifact: { kind: 'event', id: word.toLowerCase() }, takenFor: 'CloudTrail event id' };
}

function resource(word: string): Classified | undefined {
  const match = /^([a-z][a-z0-9]{0,15}(?:-[a-z]{2,8})?)-([0-9a-z]{8,17})$/.exec(word);
  const prefix = match?.[1] ?? '';
  const rest = match?.[2] ?? '';
  const known = resourceWords[prefix];
  const isHex = /^([0-9a-f]{8}|[0-9a-f]{17})$/.test(rest);
  if (!known && !isHex) return undefined;
  return {
    artifact: { kind: 'resource', id: word },
    takenFor: known ?? `resource id (${prefix})`,
    ...(isHex
      ? {}
      : { note: 'AWS never issues an id of this form (8 or 17 hexadecimal digits); looking for it anyway.' }),
  };
}

function uniqueId(word: string): Classified | undefined {
  const match = /^(AIDA|AROA|AGPA|AIPA|ANPA)[A-Z0-9]{12,124}(:[\w+=,.@-]{2,64})?$/.exec(word);
  if (!match) return undefined;
  const what = match[2] ? 'role id and session name' : (uniqueIds[match[1] ?? ''] ?? 'unique id');
  return {
    artifact: { kind: 'resource', id: word },
    takenFor: what,
    note: 'An ARN finds more: few records name this id.',
  };
}

/** Carries its mark: bare, it would be any word. */
function sourceIdentity(word: string): Classified | undefined {
  if (!word.startsWith(sourceIdentityMark)) return undefined;
  const node = sourceIdentityNode(word.slice(sourceIdentityMark.length));
  return node && { artifact: { kind: 'federatedUser', id: node.id }, takenFor: 'source identity of role sessions' };
}

function service(word: string): Classified | undefined {
  if (!/^[a-z0-9-]{2,40}(\.[a-z0-9-]{1,20})?\.amazonaws\.com(\.cn)?$/.test(word)) return undefined;
  return { artifact: { kind: 'service', id: word }, takenFor: 'AWS service' };
}

function hintFor(word: string): string {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(word))
    return 'It looks like an IPv4 address, but a part is above 255 or begins with a zero.';
  if (/^(AKIA|ASIA).{0,16}(…|\.\.\.|\*)/.test(word)) return 'The key id is shortened: give all of it.';
  if (/^(AKIA|ASIA|AIDA|AROA)/i.test(word))
    return 'It begins like an AWS id but has other characters or another length.';
  if (/^\d{9,14}$/.test(word)) return 'An AWS account has 12 digits.';
  return accepts;
}

/** Echoes typed text: cut, printable, and nothing of what may be a secret key or a token. */
function short(word: string): string {
  if (/^[A-Za-z0-9/+=_-]{40,}$/.test(word)) return `${word.slice(0, 4)}… (${word.length} characters)`;
  const printable = word.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > 60 ? `${printable.slice(0, 60)}… (${printable.length} characters)` : printable;
}
