/** What a word typed after `/ir flows` or `/ir dns` stands for. */
import { UserError } from '../contracts/errors.ts';
import { parseIp } from './address.ts';
import { unwrapPasted } from './artifact-text.ts';
import { domainOf } from './dns-log.ts';
import { isInstanceId } from './links-naming.ts';

export type NetworkSubjectKind = 'instance' | 'interface' | 'address' | 'vpc' | 'domain';

export interface NetworkSubject {
  readonly kind: NetworkSubjectKind;
  readonly id: string;
}

const described: Readonly<Record<NetworkSubjectKind, string>> = {
  instance: 'an instance (i-...)',
  interface: 'a network interface (eni-...)',
  address: 'an IP address',
  vpc: 'a VPC (vpc-...)',
  domain: 'a domain name (it stands for all names below it too)',
};

/** Takes what people paste, an instance's ARN too. Throws UserError, with what is accepted, for anything else. */
export function networkWord(text: string, accepted: readonly NetworkSubjectKind[]): NetworkSubject {
  const hint = `Give ${accepted.map((kind) => described[kind]).join(', ')}.`;
  const { word, host } = unwrapPasted(text, hint);
  const found = subjectOf(
    /^arn:[a-z-]+:ec2:[a-z0-9-]+:\d{12}:(?:instance|network-interface|vpc)\/(.+)$/.exec(word)?.[1] ?? word,
    host,
  );
  if (found === undefined || !accepted.includes(found.kind))
    throw new UserError(`"${word.slice(0, 80)}" cannot be looked for in these logs.`, hint);
  return found;
}

function subjectOf(word: string, host: string | undefined): NetworkSubject | undefined {
  if (isInstanceId(word)) return { kind: 'instance', id: word };
  if (/^eni-[0-9a-f]{8,32}$/.test(word)) return { kind: 'interface', id: word };
  if (/^vpc-[0-9a-f]{8,32}$/.test(word)) return { kind: 'vpc', id: word };
  const address = parseIp(word) ?? (host === undefined ? undefined : parseIp(host));
  if (address) return { kind: 'address', id: address };
  const name = domainOf((host ?? word).replace(/^\*\./, ''));
  const isName = name.length <= 253 && /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/.test(name);
  return isName ? { kind: 'domain', id: name } : undefined;
}
