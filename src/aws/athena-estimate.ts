/** What a query would read: the sizes of the objects in its partitions, listed where they may be. */
import type { AthenaEstimate, AthenaScope, AthenaStatement, AthenaTableName } from '../contracts/athena.ts';
import { UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { trailRoot } from '../domain/athena/ddl.ts';
import { dayOf } from '../domain/athena/literals.ts';
import type { AthenaSettings } from '../domain/athena/settings.ts';
import { openS3Objects, parseS3Url } from './s3-objects.ts';

/** More partitions than this are estimated from this many, evenly chosen. */
const listed = 120;
const dayMs = 86_400_000;

/** Prefixes of the partitions that the statement reads, as `s3://` addresses. */
function prefixesOf(table: AthenaTableName, scope: AthenaScope, settings: AthenaSettings): readonly string[] {
  const location = settings.locations[table];
  if (location === undefined) return [];
  const days: string[] = [];
  const last = Date.parse(scope.to) + dayMs;
  for (let at = Date.parse(scope.from); at <= last; at += dayMs) days.push(dayOf(new Date(at).toISOString()));
  const everyDay = [...new Set(days)];
  if (table === 'dns') {
    const folder = (account: string) => `${location}/AWSLogs/${account}/vpcdnsquerylogs/`;
    if (settings.dnsVpcs.length === 0) return scope.accounts.map(folder);
    return scope.accounts.flatMap((account) =>
      settings.dnsVpcs.flatMap((vpc) => everyDay.map((day) => `${folder(account)}${vpc}/${day}/`)),
    );
  }
  const root = table === 'cloudtrail' ? trailRoot(settings, location) : `${location}/AWSLogs/`;
  const kind = table === 'cloudtrail' ? 'CloudTrail' : 'vpcflowlogs';
  return scope.accounts.flatMap((account) =>
    scope.regions.flatMap((region) => everyDay.map((day) => `${root}${account}/${kind}/${region}/${day}/`)),
  );
}

interface Options {
  readonly region: string;
  readonly pathStyle: boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Of every table that the statement reads. Never throws for what S3 says: then there is no figure, and the reason. */
export async function estimateOf(
  { reads, fewBytes }: AthenaStatement,
  settings: AthenaSettings,
  options: Options,
): Promise<AthenaEstimate> {
  const { table, also = [], scope } = reads;
  const ended = { bytes: fewBytes, because: 'it ends at the first lines' };
  const byTable = new Map<AthenaTableName, AthenaEstimate>();
  let bytes = 0;
  for (const one of [table, ...also]) {
    const told = byTable.get(one) ?? (await ofTable(one, scope, settings, options));
    byTable.set(one, told);
    if (told.bytes === undefined) return fewBytes === undefined ? told : ended;
    bytes += told.bytes;
  }
  if (fewBytes !== undefined && fewBytes < bytes) return ended;
  return { bytes, because: [...byTable.values()].map(({ because }) => because).join(', ') };
}

async function ofTable(
  table: AthenaTableName,
  scope: AthenaScope,
  settings: AthenaSettings,
  options: Options,
): Promise<AthenaEstimate> {
  const all = prefixesOf(table, scope, settings);
  if (all.length === 0)
    return { bytes: undefined, because: `athena.locations.${table} is not set, so nothing can be listed` };
  const step = Math.max(1, all.length / listed);
  const some = Array.from({ length: Math.min(all.length, listed) }, (_, at) => all[Math.floor(at * step)] ?? '');
  let bytes = 0;
  try {
    for (const prefix of some) {
      const place = parseS3Url(prefix);
      if (place === undefined) continue;
      const objects = openS3Objects(place, options).list(
        () => true,
        () => undefined,
        options.signal,
      );
      for await (const { size } of objects) bytes += size;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    options.log.info({ reason: error.message }, 'what Athena would read cannot be told before');
    return { bytes: undefined, because: error.message };
  }
  const whole = Math.round(bytes * (all.length / some.length));
  const because =
    all.length === some.length
      ? `the objects of ${all.length} partitions of ${table}`
      : `the objects of ${some.length} of ${all.length} partitions of ${table}`;
  return { bytes: whole, because };
}
