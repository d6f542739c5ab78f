/** What a path in a CloudTrail delivery tree tells (DOMAIN.md 3.9), so that an import need not read what nobody asked for. */

export interface Layout {
  readonly account: string;
  readonly region: string;
  /** `2026-11-20`, UTC. */
  readonly day: string;
  readonly isDigest: boolean;
}

/** `AWSLogs/` is missing where the folder of that name, or the one of the organisation, is what is imported. */
const tree =
  /(?:^|\/)(?:AWSLogs\/)?(?:o-[a-z0-9]{10,32}\/)?(\d{12})\/(CloudTrail(?:-[A-Za-z]{1,30})?)\/([a-z0-9-]+)\/(\d{4})\/(\d\d)\/(\d\d)\/[^/]+$/;
/** `123456789012_CloudTrail_eu-west-1_20261120T1200Z_AbCd.json.gz`; digests have the trail and its home Region before the time. */
const name =
  /(?:^|\/)(\d{12})_(CloudTrail(?:-[A-Za-z]{1,30})?)_([a-z0-9-]{1,30})_(?:[^/]{0,300}_)?(\d{4})(\d\d)(\d\d)T\d{4,6}Z[^/]*$/;

/** Undefined for paths that are not of such a tree, and files that have no such name. */
export function layoutOf(path: string): Layout | undefined {
  const [, account, kind, region, year, month, day] = tree.exec(path) ?? name.exec(path) ?? [];
  if (!account || !region) return undefined;
  return { account, region, day: `${year}-${month}-${day}`, isDigest: kind === 'CloudTrail-Digest' };
}

export interface Selection {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

const dayMs = 86_400_000;

/** Events of late evening are delivered in the next day's folder, so the day after the window is read too. */
export function wanted(path: string, { from, to, accounts, regions }: Selection): boolean {
  const layout = layoutOf(path);
  if (layout === undefined) return true;
  if (accounts && !accounts.includes(layout.account)) return false;
  if (regions && !regions.includes(layout.region)) return false;
  const day = Date.parse(`${layout.day}T00:00:00Z`);
  if (Number.isNaN(day)) return true;
  if (from !== undefined && day + dayMs <= Date.parse(from)) return false;
  return to === undefined || day < Date.parse(to) + dayMs;
}
