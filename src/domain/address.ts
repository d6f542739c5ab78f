/** IP addresses as CloudTrail writes them (DOMAIN.md 3.4): parsed strictly, never guessed from look-alikes. */
import ipaddr from 'ipaddr.js';

/**
 * The address in its canonical spelling (IPv6 as RFC 5952), or undefined where the text is none: `AWS Internal`,
 * a service name, and quads with leading zeros, which tools read as octal or decimal by taste.
 */
export function parseIp(text: string): string | undefined {
  if (text.length > 45 || text.includes('%')) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return hasLeadingZero(text) ? undefined : text;
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.IPv6.parse(text).toRFC5952String();
}

/** Where a call came from, each address in one spelling: names of services and `AWS Internal` stay as they are. */
export function sourceOf({ sourceIPAddress }: { readonly sourceIPAddress: string }): string {
  return parseIp(sourceIPAddress) ?? sourceIPAddress;
}

function hasLeadingZero(quad: string): boolean {
  return /(^|\.)0\d/.test(quad);
}

const insideOnly = new Set(['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat', 'unspecified']);

/** True for addresses that mean something only inside one network (RFC 1918, CGNAT, ULA, ...). Documentation ranges are not. */
export function isPrivateIp(ip: string): boolean {
  const canonical = parseIp(ip);
  return canonical !== undefined && insideOnly.has(ipaddr.parse(canonical).range());
}

/** The first of the CIDR ranges or single addresses that holds the address. Ranges that do not parse hold nothing. */
export function rangeHolding(ip: string, ranges: readonly string[]): string | undefined {
  const canonical = parseIp(ip);
  if (canonical === undefined) return undefined;
  const address = ipaddr.parse(canonical);
  return ranges.find((range) => {
    if (!ipaddr.isValidCIDR(range)) return parseIp(range) === canonical;
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}
