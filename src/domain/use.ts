/** Who used a thing for what: records condensed to a few lines for a card. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { actsIn } from './acting.ts';
import { sourceOf } from './address.ts';
import { count, utc } from './phrases.ts';

const shown = 4;

/** One line per group of caller address and agent family, the heaviest first; then what was called most. */
export function usesOf(records: readonly CloudTrailRecord[]): string[] {
  if (records.length === 0) return ['No call by it was found there.'];
  const byPlace = new Map<string, CloudTrailRecord[]>();
  for (const record of records) {
    const key = `${sourceOf(record) || 'an unknown address'}, ${agentFamily(record.userAgent)}`;
    const list = byPlace.get(key) ?? [];
    list.push(record);
    byPlace.set(key, list);
  }
  const places = [...byPlace].sort((a, b) => b[1].length - a[1].length || a[0].localeCompare(b[0]));
  const lines = places.slice(0, shown).map(([place, list]) => {
    const last =
      list
        .map((record) => record.eventTime)
        .sort()
        .at(-1) ?? '';
    return `${count(list.length, 'call')} from ${place}: ${topCalls(list)}; last ${utc(last)}`;
  });
  if (places.length > shown) lines.push(`and ${places.length - shown} more places of use`);
  return lines;
}

/**
 * What the target did itself: how often in 7, 30 and 90 days, and from where in the shortest of these in which it was used.
 * Calls that only name it are not its use, so that whoever looked at a key is not taken for its user.
 */
export function useOver(
  records: readonly CloudTrailRecord[],
  target: Artifact,
  now: Date,
  /** False where not everything could be looked at: then every number is a least. */
  complete = true,
): string[] {
  const own = records.filter((record) => actsIn(target, record));
  const within = (days: number) => {
    const from = now.getTime() - days * 86_400_000;
    return own.filter(({ eventTime }) => Date.parse(eventTime) >= from);
  };
  const [week, month, quarter] = [within(7), within(30), within(90)];
  const least = complete ? '' : 'at least ';
  const total = `${least}${count(week.length, 'call')} by it in 7 days, ${least}${month.length} in 30 days, ${least}${quarter.length} in 90 days`;
  if (!complete && quarter.length === 0) return ['No call by it was seen, but not everything could be looked at.'];
  if (quarter.length === 0) return [total];
  const addresses = new Set(quarter.map(sourceOf)).size;
  const shownOnes = [week, month, quarter].find(({ length }) => length > 0) ?? [];
  return [`${total}, from ${count(addresses, 'address', 'addresses')}`, ...usesOf(shownOnes)];
}

function topCalls(records: readonly CloudTrailRecord[]): string {
  const calls = new Map<string, number>();
  for (const record of records) {
    const name = `${record.eventSource.replace('.amazonaws.com', '')}:${record.eventName}`;
    calls.set(name, (calls.get(name) ?? 0) + 1);
  }
  const sorted = [...calls].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const top = sorted.slice(0, 3).map(([name, n]) => (n === 1 ? name : `${name} ×${n}`));
  return sorted.length > 3 ? `${top.join(', ')} and ${sorted.length - 3} other kinds` : top.join(', ');
}

/** `aws-cli/2.2.1 Python/...` becomes `aws-cli/2.2.1`. An agent is what the caller says of itself. */
export function agentFamily(userAgent: string): string {
  const first =
    userAgent
      .replace(/^\[|\]$/g, '')
      .trim()
      .split(/[\s,]/)[0] ?? '';
  return first === '' ? 'no agent named' : first.slice(0, 40);
}
