/** Lists of addresses that the operator keeps: AWS's own ranges, Tor exits, networks by name. Read offline, asked of nobody (DOMAIN.md 6.5). */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { AddressFacts } from '../contracts/address.ts';
import { parseIp, rangeHolding } from './address.ts';

export const AddressRange = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

/** The config's section `addresses`. Files are the operator's own; their licences are his. */
export const AddressesSection = z
  .strictObject({
    country: z.string().optional(),
    city: z.string().optional(),
    asn: z.string().optional(),
    /** AWS's ip-ranges.json. */
    awsRanges: z.string().optional(),
    /** One address per line, or the lines of the Tor project's exit list. */
    tor: z.string().optional(),
    networks: z
      .array(
        z.strictObject({
          name: z.string().trim().min(1).max(80),
          kind: z.enum(['office', 'vpn', 'nat', 'partner', 'cloud', 'other']).default('other'),
          ranges: z.array(AddressRange).min(1),
        }),
      )
      .default([]),
  })
  .default({ networks: [] });
export type AddressesSection = z.output<typeof AddressesSection>;

const AwsRanges = z.object({
  createDate: z.string().default(''),
  prefixes: z.array(z.object({ ip_prefix: z.string(), region: z.string(), service: z.string() })),
  ipv6_prefixes: z.array(z.object({ ipv6_prefix: z.string(), region: z.string(), service: z.string() })).default([]),
});

type AwsRange = NonNullable<AddressFacts['awsRange']>;
type Finder = (ip: string) => AwsRange | undefined;

/** Reads ip-ranges.json. Throws ZodError or SyntaxError where the text is none. Prefixes that do not parse are left out. */
export function awsRangesOf(text: string): { readonly find: Finder; readonly date: string; readonly count: number } {
  const parsed = AwsRanges.parse(JSON.parse(text));
  const byHead = new Map<
    string,
    { prefix: string; cidr: [ipaddr.IPv4 | ipaddr.IPv6, number]; service: string; region: string }[]
  >();
  const all = [
    ...parsed.prefixes.map((one) => ({ ...one, prefix: one.ip_prefix })),
    ...parsed.ipv6_prefixes.map((one) => ({ ...one, prefix: one.ipv6_prefix })),
  ];
  let count = 0;
  for (const { prefix, service, region } of all) {
    if (!ipaddr.isValidCIDR(prefix)) continue;
    const cidr = ipaddr.parseCIDR(prefix);
    count += 1;
    for (const head of headsOf(cidr))
      byHead.set(head, [...(byHead.get(head) ?? []), { prefix, cidr, service, region }]);
  }
  return { find: (ip) => narrowest(ip, byHead), date: parsed.createDate.slice(0, 10), count };
}

/** The first byte of IPv4, the first group of IPv6: prefixes shorter than that stand under each that they hold. */
function headsOf([network, bits]: readonly [ipaddr.IPv4 | ipaddr.IPv6, number]): readonly string[] {
  if (network.kind() === 'ipv6') return [`6:${(network as ipaddr.IPv6).parts[0]?.toString(16)}`];
  const first = network.toByteArray()[0] ?? 0;
  return Array.from({ length: bits >= 8 ? 1 : 2 ** (8 - bits) }, (_, index) => `4:${first + index}`);
}

function narrowest(
  ip: string,
  byHead: ReadonlyMap<
    string,
    readonly { prefix: string; cidr: [ipaddr.IPv4 | ipaddr.IPv6, number]; service: string; region: string }[]
  >,
): AwsRange | undefined {
  const canonical = parseIp(ip);
  if (canonical === undefined) return undefined;
  const address = ipaddr.parse(canonical);
  const head =
    address.kind() === 'ipv4'
      ? `4:${address.toByteArray()[0]}`
      : `6:${(address as ipaddr.IPv6).parts[0]?.toString(16)}`;
  const holding = (byHead.get(head) ?? []).filter(
    ({ cidr }) => cidr[0].kind() === address.kind() && address.match(cidr),
  );
  const best = holding.toSorted((a, b) => b.cidr[1] - a.cidr[1])[0];
  if (best === undefined) return undefined;
  // AMAZON stands for all of them; the other names say which service it is.
  const services = [...new Set(holding.map(({ service }) => service))].filter((service) => service !== 'AMAZON');
  return { prefix: best.prefix, region: best.region, services: services.length > 0 ? services : ['AMAZON'] };
}

/** Addresses of an exit list: plain lines, or `ExitAddress 192.0.2.1 2026-11-01 12:00:00`. Other lines count as not understood. */
export function torExitsOf(text: string): { readonly addresses: ReadonlySet<string>; readonly odd: number } {
  const addresses = new Set<string>();
  let odd = 0;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || /^(ExitNode|Published|LastStatus)\b/.test(line)) continue;
    const ip = parseIp(/^ExitAddress\s+(\S+)/.exec(line)?.[1] ?? line.split(/[\s,;]/)[0] ?? '');
    if (ip === undefined) odd += 1;
    else addresses.add(ip);
  }
  return { addresses, odd };
}

/** The operator's own name for the network that holds the address. */
export function networkOf(ip: string, networks: AddressesSection['networks']): AddressFacts['network'] {
  for (const { name, kind, ranges } of networks) {
    const range = rangeHolding(ip, ranges);
    if (range !== undefined) return { name, kind, range };
  }
  return undefined;
}
