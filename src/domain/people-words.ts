/** The people that sign-in logs put behind addresses: matched by address and time, told in words. */
import type { Part } from '../contracts/message.ts';
import type { PersonAtAddress, PersonLine } from '../contracts/network.ts';
import { code, line, utc } from './phrases.ts';

const dayMs = 24 * 3_600_000;
const signInMs = 12 * 3_600_000;

/**
 * Who had the address between two times (ISO 8601 UTC, both inside). A log line without an end counts for 12 hours. Best
 * matches first; one line per person, address and log.
 */
export function peopleBetween(
  sightings: readonly PersonAtAddress[],
  address: string,
  from: string,
  to: string,
): readonly PersonLine[] {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const rank = { 'at-the-time': 0, near: 1, 'at-another-time': 2 } as const;
  const lines = sightings
    .filter((one) => one.address === address)
    .map((one): PersonLine => {
      const starts = Date.parse(one.from);
      const ends = one.to === undefined ? starts + signInMs : Date.parse(one.to);
      const gap = Math.max(starts - end, begin - ends, 0);
      const match = gap === 0 ? 'at-the-time' : gap <= dayMs ? 'near' : 'at-another-time';
      return { person: one.person, address, from: one.from, to: one.to ?? null, log: one.log, match };
    })
    .sort((a, b) => rank[a.match] - rank[b.match] || (a.from < b.from ? 1 : -1));
  return [...new Map(lines.toReversed().map((one) => [`${one.person}\n${one.log}`, one])).values()].reverse();
}

/** `alice (vpn, 2026-11-20 08:00 UTC to ...)`. */
function personText({ person, log, from, to, match }: PersonLine): string {
  const when = `${utc(from)}${to === null ? '' : ` to ${utc(to)}`}`;
  const how = match === 'at-the-time' ? '' : match === 'near' ? ', within a day of it' : ', at another time';
  return `${person} (${log}, ${when}${how})`;
}

const shown = 10;

/** The people as a part of an answer; empty where the logs name none. */
export function peopleParts(people: readonly PersonLine[]): readonly Part[] {
  if (people.length === 0) return [];
  const items = people.slice(0, shown).map((one) => line(code(one.address), ` ${personText(one)}`));
  const rest = people.length - shown;
  if (rest > 0) items.push(line(`and ${rest} more`));
  return [
    { kind: 'header', text: 'People behind these addresses' },
    { kind: 'list', items },
  ];
}
