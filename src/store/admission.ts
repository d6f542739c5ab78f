/** Whether a case gets a card, a line of a digest, or nothing: decided once, under a lock of the channel. */
import { sql, type Transaction } from 'kysely';
import type { Admission, NoiseStore, Novelty } from '../contracts/noise.ts';
import { newId, text } from './database.ts';
import type { Tables } from './tables.ts';

type Tx = Transaction<Tables>;
type Input = Parameters<NoiseStore['admit']>[0];
type Output = Awaited<ReturnType<NoiseStore['admit']>>;

/** First key of the locks on channels. */
const channelSpace = 0x4644;
const minuteMs = 60_000;
/** In one storm, so many new resources of an account get a card of their own; a storm over thousands of them must not. */
const mostNewResources = 5;

export async function admit(tx: Tx, input: Input): Promise<Output> {
  const { caseId, channel, at } = input;
  await sql`select pg_advisory_xact_lock(${sql.lit(channelSpace)}, hashtext(${text(channel)}))`.execute(tx);
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
  const news = await isNews(tx, input);
  if (input.always || news || (await newInLastMinute(tx, input)) < input.limit) {
    await decide(tx, caseId, 'card', at);
    return { admission: 'card', fresh: true };
  }
  const digestId = await addLine(tx, input);
  await decide(tx, caseId, 'digest', at);
  return { admission: 'digest', digestId, fresh: true };
}

async function decide(tx: Tx, caseId: string, admission: Admission, at: string, snoozeId?: string): Promise<void> {
  await tx
    .updateTable('cases')
    .set({ admission, admitted_at: at, ...(snoozeId === undefined ? {} : { snooze_id: snoozeId }) })
    .where('id', '=', caseId)
    .execute();
}

/** All that came, not only what got a card: while a storm lasts the channel stays quiet. Muted cases do not count. */
async function newInLastMinute(tx: Tx, { channel, at, limit }: Input): Promise<number> {
  const since = new Date(Date.parse(at) - minuteMs);
  const rows = await tx
    .selectFrom('cases')
    .select('id')
    .where('channel', '=', text(channel))
    .where('admitted_at', '>', since)
    .where('admission', 'in', ['card', 'digest'])
    .limit(limit)
    .execute();
  return rows.length;
}

/** The first of its tactic, severity or resource in this account since the storm began. Remembers what it has seen. */
async function isNews(tx: Tx, { channel, at, windowMs, novelty }: Input): Promise<boolean> {
  const { tactic, rank, resource, breakouts } = keysOf(novelty);
  const ranks = [0, 1, 2, 3].filter((each) => each >= novelty.rank).map((each) => `s ${novelty.accountId} ${each}`);
  const asked = [tactic, ...ranks, breakouts, ...(resource === undefined ? [] : [resource])];
  const since = Date.parse(at) - windowMs;
  const rows = await tx
    .selectFrom('noise_seen')
    .select(['key', 'at', 'times'])
    .where('channel', '=', text(channel))
    .where('key', 'in', asked)
    .execute();
  const lately = new Map(rows.filter((row) => row.at.getTime() > since).map((row) => [row.key, row]));
  const taken = lately.get(breakouts)?.times ?? 0;
  const newResource = resource !== undefined && !lately.has(resource) && taken < mostNewResources;
  await see(tx, channel, at, [tactic, rank, ...(resource === undefined ? [] : [resource])]);
  if (newResource) {
    // Its window begins with the first of them and is not moved on by the next ones.
    const first = lately.get(breakouts);
    const from = first === undefined ? at : first.at.toISOString();
    await tx
      .insertInto('noise_seen')
      .values({ channel: text(channel), key: breakouts, at: from, times: taken + 1 })
      .onConflict((conflict) => conflict.columns(['channel', 'key']).doUpdateSet({ at: from, times: taken + 1 }))
      .execute();
  }
  return !lately.has(tactic) || !ranks.some((key) => lately.has(key)) || newResource;
}

function keysOf({ accountId, tactic, rank, resource }: Novelty) {
  return {
    tactic: text(`t ${accountId} ${tactic}`),
    rank: text(`s ${accountId} ${rank}`),
    resource: resource === undefined ? undefined : text(`r ${accountId} ${resource.slice(0, 300)}`),
    breakouts: text(`b ${accountId}`),
  };
}

async function see(tx: Tx, channel: string, at: string, keys: readonly string[]): Promise<void> {
  await tx
    .insertInto('noise_seen')
    .values(keys.map((key) => ({ channel: text(channel), key, at, times: 1 })))
    .onConflict((conflict) =>
      conflict.columns(['channel', 'key']).doUpdateSet((update) => ({ at: update.ref('excluded.at') })),
    )
    .execute();
}

/** A line of the channel's digest of this time; the first one opens it. */
async function addLine(tx: Tx, { caseId, channel, at, windowMs, line, group }: Input): Promise<string> {
  const since = new Date(Date.parse(at) - windowMs);
  const open = await tx
    .selectFrom('digests')
    .select('id')
    .where('channel', '=', text(channel))
    .where('opened_at', '>', since)
    .orderBy('opened_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const id = open?.id ?? newId();
  if (open === undefined) {
    await tx
      .insertInto('digests')
      .values({ id, channel: text(channel), opened_at: at })
      .execute();
  }
  const { total } = await tx
    .updateTable('digests')
    .set((digest) => ({ total: digest('total', '+', 1) }))
    .where('id', '=', id)
    .returning('total')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('digest_lines')
    .values({ digest_id: id, number: total, case_id: caseId, group_words: text(group), line: text(line) })
    .execute();
  return id;
}
