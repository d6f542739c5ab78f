/** What the network side of the lake lacks for a question: accounts, Regions, and stretches of time without rows. */

import { isoOf } from '../../domain/window.ts';
import { type NetworkKind, type NetworkPage, networkFolder, readNetworkPages } from './pages.ts';

export interface Asked {
  /** ISO 8601 UTC, half-open. */
  readonly window: { readonly from: string; readonly to: string };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

export const kindNames: Readonly<Record<NetworkKind, string>> = { flows: 'VPC flow logs', dns: 'Resolver query logs' };
/** Flow logs are gathered for up to 10 minutes and delivered within 5 or so. */
export const slackMs = 20 * 60_000;
const dayMs = 86_400_000;

/** What the lake lacks of the kind for the window, accounts and Regions, in words; empty where it covers them. */
export async function networkGaps(
  kind: NetworkKind,
  { dataDir, ...asked }: Asked & { readonly dataDir: string },
): Promise<readonly string[]> {
  const { pages } = await readNetworkPages(networkFolder(dataDir));
  return gapsIn(kind, pages, asked);
}

type Part = NetworkPage['parts'][number];

export function gapsIn(
  kind: NetworkKind,
  pages: readonly NetworkPage[],
  { window, accounts, regions }: Asked,
): readonly string[] {
  const parts = pages.flatMap((page) => page.parts).filter((part) => part.kind === kind);
  if (parts.length === 0) return [`no ${kindNames[kind]} in the lake`];
  const noRegion = (regions ?? []).filter((region) => spansOf(parts, undefined, region).length === 0);
  const rest = regions?.filter((region) => !noRegion.includes(region)) ?? [undefined];
  const gaps = noRegion.map((region) => `${kindNames[kind]} of Region ${region}: not in the lake`);
  for (const account of accounts ?? [undefined]) {
    const whose = account === undefined ? kindNames[kind] : `${kindNames[kind]} of account ${account}`;
    if (spansOf(parts, account, undefined).length === 0) {
      gaps.push(`${whose}: not in the lake`);
      continue;
    }
    // The same lack in every Region is one lack.
    const byRegion = rest.map((region) => ({ region, lacks: missing(spansOf(parts, account, region), window) }));
    const isSame = byRegion.every(({ lacks }) => lacks.join() === byRegion[0]?.lacks.join());
    for (const { region, lacks } of isSame ? byRegion.slice(0, 1) : byRegion) {
      const where = region === undefined || isSame ? whose : `${whose} in Region ${region}`;
      gaps.push(...lacks.map((lack) => `${where}: ${lack} is not in the lake`));
    }
  }
  return gaps;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** Stretches of time of which there are rows of the place, undefined for any; rows that name no account or Region may be of any. */
function spansOf(parts: readonly Part[], account: string | undefined, region: string | undefined): readonly Span[] {
  const has = (places: readonly string[], place: string | undefined) =>
    place === undefined || places.length === 0 || places.includes(place);
  const isOf = (held: string, place: string | undefined) => place === undefined || held === '' || held === place;
  return parts
    .flatMap((part): readonly Span[] => {
      const [first, last] = [Date.parse(part.first), Date.parse(part.last)];
      if (part.held === undefined)
        return has(part.accounts, account) && has(part.regions, region) ? [{ first, last }] : [];
      return part.held
        .filter((held) => isOf(held.account, account) && isOf(held.region, region))
        .flatMap(({ days }) => days.map((day) => Date.parse(`${day}T00:00:00Z`)))
        .map((day) => ({ first: Math.max(first, day), last: Math.min(last, day + dayMs) }));
    })
    .sort((a, b) => a.first - b.first);
}

function missing(spans: readonly Span[], window: Asked['window']): readonly string[] {
  const gaps: string[] = [];
  let at = Date.parse(window.from);
  const to = Date.parse(window.to);
  for (const { first, last } of spans) {
    const begin = Math.min(first, to);
    if (begin > at + slackMs) gaps.push(`${isoOf(at)} to ${isoOf(begin)}`);
    at = Math.max(at, last);
  }
  if (to > at + slackMs) gaps.push(`${isoOf(at)} to ${isoOf(to)}`);
  return gaps;
}
