/** Whether a case gets a card, a line of a digest, or nothing: decided once, under a lock of the channel. */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Admission, NoiseStore, Novelty } from '../contracts/noise.ts';
import { type Database, indexed, newId, text, withoutWaiting } from './database.ts';
import type { Tables } from './tables.ts';

type Tx = Transaction<Tables>;
type Input = Parameters<NoiseStore['admit']>[0];
type Output = Awaited<ReturnType<NoiseStore['admit']>>;

/** First key of the locks on channels. */
const channelSpace = 0x4644;
const minuteMs = 60_000;
/** Clocks of several processes differ by so much; what lies further ahead is of a clock that was wrong, and tells nothing of now. */
const aheadMs = minuteMs;
/** In one storm, so many new resources of an account get a card of their own; a storm over thousands of them must not. */
const mostNewResources = 5;

export async function admit(tx: Tx, input: Input): Promise<Output> {
  const { caseId, channel, at } = input;
  await sql`select ${withoutWaiting}, pg_advisory_xact_lock(${sql.lit(channelSpace)}, hashtext(${text(channel)}))`.execute(
    tx,
  );
  const row = await tx
    .selectFrom('cases')
    .leftJoin('digest_lines', 'digest_lines.case_id', 'cases.id')
    .select(['admission', 'digest_id'])
    .where('id', '=', caseId)
    .forUpdate('cases')
    .executeTakeFirstOrThrow();
  if (row.admission !== null) {
    return { admission: row.admission, digestId: row.digest_id ?? undefined, fresh: false };
  }
  if (input.snoozeId !== undefined && !input.always) {
    await decide(tx, caseId, 'snoozed', at, input.snoozeId);
    return { admission: 'snoozed', fresh: true };
  }
  const known = await knownOf(tx, input);
  const { isNews, keys } = newsOf(known, input);
  const isCard = input.always || isNews || known.recent < input.limit;
  await see(tx, channel, keys);
  if (isCard) {
    await decide(tx, caseId, 'card', at);
    return { admission: 'card', fresh: true };
  }
  const { digestId, first } = await addLine(tx, input, known.open);
  return { admission: 'digest', digestId, fresh: first };
}

async function decide(tx: Tx, caseId: string, admission: Admission, at: string, snoozeId?: string): Promise<void> {
  await tx
    .updateTable('cases')
    .set({ admission, admitted_at: at, ...(snoozeId === undefined ? {} : { snooze_id: snoozeId }) })
    .where('id', '=', caseId)
    .execute();
}

interface Seen {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly times: number;
}

interface Known {
  readonly seen: readonly Seen[];
  /** Cases of the last minute, counted up to the limit. */
  readonly recent: number;
  /** The digest of this time, if there is one. */
  readonly open: string | null;
}

/**
 * What decides, in one question. All that came in the last minute counts, not only what got a card: while a storm lasts the channel
 * stays quiet. Muted cases do not count.
 */
async function knownOf(tx: Tx, { channel, at, limit, windowMs, novelty }: Input): Promise<Known> {
  const [place, now] = [text(channel), Date.parse(at)];
  const keys = askedKeys(novelty);
  const { rows } = await sql<Known>`select
    (select coalesce(json_agg(json_build_object('key', key, 'at', extract(epoch from at) * 1000, 'times', times)), '[]')
      from noise_seen where channel = ${place} and key in (${sql.join(keys)})) as seen,
    ${recentCases({ channel, at, limit, sample: novelty.sample })} as recent,
    (select id from digests where channel = ${place} and opened_at > ${new Date(now - windowMs)}
      and opened_at <= ${new Date(now + aheadMs)} order by opened_at desc limit 1) as open`.execute(tx);
  return rows[0] ?? { seen: [], recent: 0, open: null };
}

/** Samples, which whoever is in the account can have made, are no storm for what is real. */
function recentCases(of: { channel: string; at: string; limit: number; sample: boolean }): RawBuilder<number> {
  const now = Date.parse(of.at);
  const counted = of.sample ? sql`true` : sql`alert->>'sample' is distinct from 'true'`;
  return sql<number>`(select count(*)::int from (select from cases where channel = ${text(of.channel)}
      and admitted_at > ${new Date(now - minuteMs)} and admitted_at <= ${new Date(now + aheadMs)}
      and admission in ('card', 'digest') and ${counted} limit ${of.limit}) as lately)`;
}

export async function isCalm(db: Database, channel: string, at: string, limit: number): Promise<boolean> {
  const recent = recentCases({ channel, at, limit, sample: false });
  const { rows } = await sql<{ recent: number }>`select ${recent} as recent`.execute(db);
  return (rows[0]?.recent ?? limit) < limit;
}

function ranksFrom(novelty: Novelty): readonly string[] {
  const whose = whoseOf(novelty);
  return [0, 1, 2, 3].filter((each) => each >= novelty.rank).map((each) => indexed(`s ${whose} ${each}`));
}

function whoseOf({ accountId, sample }: Novelty): string {
  return sample ? `${accountId} sample` : accountId;
}

function askedKeys(novelty: Novelty): readonly string[] {
  const { tactic, resource, breakouts } = keysOf(novelty);
  return [tactic, ...ranksFrom(novelty), breakouts, ...(resource === undefined ? [] : [resource])];
}

/** Whether it is the first of its tactic, severity or resource in this account since the storm began; and what is to be remembered. */
function newsOf(known: Known, { at, windowMs, novelty }: Input): { isNews: boolean; keys: readonly Seen[] } {
  const { tactic, rank, resource, breakouts } = keysOf(novelty);
  const now = Date.parse(at);
  const lately = new Map(
    known.seen.filter((row) => row.at > now - windowMs && row.at <= now + aheadMs).map((row) => [row.key, row]),
  );
  const taken = lately.get(breakouts);
  const newResource = resource !== undefined && !lately.has(resource) && (taken?.times ?? 0) < mostNewResources;
  const keys = [tactic, rank, ...(resource === undefined ? [] : [resource])].map((key) => ({ key, at: now, times: 1 }));
  // The window of new resources begins with the first of them and is not moved on by the next ones.
  const counted = { key: breakouts, at: taken?.at ?? now, times: (taken?.times ?? 0) + 1 };
  return {
    isNews: !lately.has(tactic) || !ranksFrom(novelty).some((key) => lately.has(key)) || newResource,
    keys: newResource ? [...keys, counted] : keys,
  };
}

function keysOf(novelty: Novelty) {
  const { tactic, rank, resource } = novelty;
  const whose = whoseOf(novelty);
  return {
    tactic: indexed(`t ${whose} ${tactic}`),
    rank: indexed(`s ${whose} ${rank}`),
    resource: resource === undefined ? undefined : indexed(`r ${whose} ${resource}`),
    breakouts: indexed(`b ${whose}`),
  };
}

async function see(tx: Tx, channel: string, keys: readonly Seen[]): Promise<void> {
  await tx
    .insertInto('noise_seen')
    .values(keys.map(({ key, at, times }) => ({ channel: text(channel), key, at: new Date(at).toISOString(), times })))
    .onConflict((conflict) =>
      conflict
        .columns(['channel', 'key'])
        .doUpdateSet((update) => ({ at: update.ref('excluded.at'), times: update.ref('excluded.times') })),
    )
    .execute();
}

/** A line of the channel's digest of this time, which the first one opens; and that it is one. */
async function addLine(
  tx: Tx,
  { caseId, channel, at, line, group }: Input,
  open: string | null,
): Promise<{ digestId: string; first: boolean }> {
  const id = open ?? newId();
  if (open === null) {
    await tx
      .insertInto('digests')
      .values({ id, channel: text(channel), opened_at: at })
      .execute();
  }
  const { rows } = await sql<{ total: number; shown: number }>`with
    digest as (update digests set total = total + 1 where id = ${id} returning total, shown),
    line as (insert into digest_lines (digest_id, number, case_id, group_words, line)
      select ${id}, total, ${caseId}, ${text(group)}, ${text(line)} from digest),
    decided as (update cases set admission = 'digest', admitted_at = ${at}::timestamptz where id = ${caseId})
    select total, shown from digest`.execute(tx);
  const [digest] = rows;
  if (digest === undefined) throw new Error('a digest vanished while its channel was locked');
  return { digestId: id, first: digest.total === digest.shown + 1 };
}
