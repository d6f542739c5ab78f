/** Addresses of a finding: the finding's own fields first, then the local databases, else nothing. */
import type { AddressBook, AddressFacts } from '../contracts/address.ts';
import type { Alert, RemoteAddress } from '../contracts/alert.ts';
import type { Line } from '../contracts/message.ts';
import { inert } from './inert.ts';

/** The databases' word where the finding has none; `from` names each source that said something. */
function mergeAddressFacts(remote: RemoteAddress, known: AddressFacts | undefined): AddressFacts {
  const saysSomething = [remote.country, remote.asn, remote.organization].some((field) => field !== undefined);
  const adds =
    (remote.country === undefined && known?.country !== undefined) ||
    (remote.asn === undefined && known?.asn !== undefined) ||
    (remote.organization === undefined && known?.organization !== undefined);
  return {
    ip: remote.ip,
    range: known?.range ?? 'unknown',
    country: remote.country ?? known?.country,
    asn: remote.asn ?? known?.asn,
    organization: remote.organization ?? known?.organization,
    from: [...(saysSomething ? ['finding'] : []), ...(adds ? (known?.from ?? []) : [])],
  };
}

/** What is known of the first addresses of an alert: what `findingCard` asks for. */
export function addressFactsOf(alert: Alert, book: AddressBook, limit = 10): readonly AddressFacts[] {
  return alert.remote.slice(0, limit).map((remote) => mergeAddressFacts(remote, book.lookUp(remote.ip)));
}

const rangeWords = new Map([
  ['private', 'a private address'],
  ['uniqueLocal', 'a private address'],
  ['loopback', 'the loopback address'],
  ['linkLocal', 'a link-local address'],
  ['carrierGradeNat', 'shared by a provider (carrier-grade NAT)'],
  ['multicast', 'a multicast address'],
  ['broadcast', 'a broadcast address'],
  ['unspecified', 'no real address'],
  ['reserved', 'a reserved address'],
]);

/** `198.51.100.7, Netherlands, AS64500 Example Hosting`; says `no country data`, `no ASN data` rather than a guess. */
export function addressLine(facts: AddressFacts): Line {
  const words: string[] = [];
  const range = rangeWords.get(facts.range);
  if (range !== undefined) words.push(range);
  const hasAsn = facts.asn !== undefined || facts.organization !== undefined;
  // Nobody announces a private address: its country and ASN are not missing, there are none.
  if (facts.country !== undefined) words.push(inert(facts.country, 40));
  else if (range === undefined) words.push('no country data');
  if (hasAsn) {
    const number = facts.asn === undefined ? [] : [`AS${inert(facts.asn, 30)}`];
    const organization = facts.organization === undefined ? [] : [inert(facts.organization, 50)];
    words.push([...number, ...organization].join(' '));
    if (facts.asn === undefined) words.push('no ASN data');
  } else if (range === undefined) words.push('no ASN data');
  return [
    { kind: 'code', text: facts.ip },
    ...(words.length > 0 ? [{ kind: 'text', text: `, ${words.join(', ')}` } as const] : []),
  ];
}
