/** The addresses on the other side, wherever a finding may keep them (DOMAIN.md 2.2, 2.5). */
import { isIP } from 'node:net';
import type { RemoteAddress } from '../contracts/alert.ts';
import type { Detail, RemoteIpDetails } from './guardduty-detail.ts';

/** An attack sequence may name 400 endpoints; a card and a pivot need no more than these. */
const mostAddresses = 100;

function address(
  ip: string,
  facts: {
    country?: string | undefined;
    city?: string | undefined;
    asn?: string | undefined;
    organization?: string | undefined;
  },
): RemoteAddress {
  const { country, city, organization } = facts;
  // 0 is reserved (RFC 7607); GuardDuty's samples carry it, and -1.
  const asn = /^(?:AS)?([1-9]\d{0,9})$/i.exec(facts.asn ?? '')?.[1];
  return {
    ip,
    ...(country !== undefined && { country }),
    ...(city !== undefined && { city }),
    ...(asn !== undefined && { asn }),
    ...(organization !== undefined && { organization }),
  };
}

function fromDetails(details: RemoteIpDetails | undefined): RemoteAddress[] {
  if (details === undefined) return [];
  const facts = {
    country: details.country?.countryName ?? details.country?.countryCode,
    city: details.city?.cityName,
    asn: details.organization?.asn,
    organization: details.organization?.asnOrg ?? details.organization?.org ?? details.organization?.isp,
  };
  const ips = [details.ipAddressV4, details.ipAddressV6].filter((ip) => ip !== undefined);
  return ips.map((ip) => address(ip, facts));
}

function everyRemote(detail: Detail): RemoteAddress[] {
  const action = detail.service?.action;
  const sequence = detail.service?.detection?.sequence;
  const kubernetes = action?.kubernetesApiCallAction;
  return [
    ...fromDetails(action?.awsApiCallAction?.remoteIpDetails),
    ...fromDetails(action?.networkConnectionAction?.remoteIpDetails),
    ...(action?.portProbeAction?.portProbeDetails ?? []).flatMap((probe) => fromDetails(probe.remoteIpDetails)),
    ...fromDetails(kubernetes?.remoteIpDetails),
    ...(kubernetes?.sourceIPs ?? []).flatMap((ip) => (ip === undefined ? [] : [address(ip, {})])),
    ...fromDetails(action?.rdsLoginAttemptAction?.remoteIpDetails),
    ...(sequence?.endpoints ?? []).flatMap((endpoint) =>
      endpoint.ip === undefined
        ? []
        : [
            address(endpoint.ip, {
              country: endpoint.location?.country,
              city: endpoint.location?.city,
              asn: endpoint.autonomousSystem?.number,
              organization: endpoint.autonomousSystem?.name,
            }),
          ],
    ),
  ];
}

/**
 * Every remote address once, in the finding's order, with what the finding itself says of it; and a note for each thing
 * that had to be left out. Text that is no IP address (a service name, `AWS Internal`) is left out without a note.
 */
export function remotesOf(detail: Detail): { remote: readonly RemoteAddress[]; notes: readonly string[] } {
  const byIp = new Map<string, RemoteAddress>();
  for (const found of everyRemote(detail)) {
    if (isIP(found.ip) === 0) continue;
    byIp.set(found.ip, { ...found, ...byIp.get(found.ip) });
  }
  const all = [...byIp.values()];
  const notes =
    all.length > mostAddresses ? [`the finding names further remote addresses: ${all.length - mostAddresses}`] : [];
  return { remote: all.slice(0, mostAddresses), notes };
}

/** The domain that was looked up, or the first that a sequence names. */
export function domainOf(detail: Detail): string | undefined {
  const endpoints = detail.service?.detection?.sequence?.endpoints ?? [];
  return detail.service?.action?.dnsRequestAction?.domain ?? endpoints.find((one) => one.domain !== undefined)?.domain;
}
