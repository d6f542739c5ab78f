/** Detection in the stream on PostgreSQL. All that one batch changes, its alerts too, is one transaction. */
import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Alert } from '../contracts/alert.ts';
import type { StreamEntry, StreamJudge, StreamStore } from '../contracts/stream.ts';
import { asking, type Database, indexed, json, newId, text } from './database.ts';
import type { Tables } from './tables.ts';

/** One batch at a time, over all processes: correlations read what the one before has written. */
const batchLock = 0x4644_0007;
/** Logs that are imported come Region by Region: for so long entries wait for others of their time. */
const keptMs = 24 * 3_600_000;
const cleanEveryMs = 10 * 60_000;

type Tx = Transaction<Tables>;

interface Group {
  readonly correlation: string;
  readonly group: string;
}

export function streamStore(db: Database): StreamStore {
  let cleanAt = 0;
  return {
    receive: (records, at) =>
      asking(async () => {
        if (records.length === 0) return 0;
        const rows = records.map(({ eventKey, record }) => ({
          event_key: eventKey,
          record: json(record),
          received_at: at,
        }));
        const stored = await db
          .insertInto('stream_records')
          .values(rows)
          .onConflict((conflict) => conflict.column('event_key').doNothing())
          .returning('event_key')
          .execute();
        return stored.length;
      }),

    work: (judge, limit, at) =>
      asking(async () => {
        const done = await db.transaction().execute(async (tx) => {
          await sql`select pg_advisory_xact_lock(${sql.lit(batchLock)})`.execute(tx);
          return workBatch(tx, judge, limit, at);
        });
        if (Date.now() >= cleanAt) {
          cleanAt = Date.now() + cleanEveryMs;
          await clean(db, judge);
        }
        return done;
      }),

    newShards: (shards) =>
      asking(async () => {
        if (shards.length === 0) return [];
        const known = await db.selectFrom('stream_shards').select('name').where('name', 'in', shards).execute();
        const names = new Set(known.map(({ name }) => name));
        return shards.filter((shard) => !names.has(shard));
      }),

    markShard: (shard, at) =>
      asking(async () => {
        await db
          .insertInto('stream_shards')
          .values({ name: text(shard), at })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute();
      }),
  };
}

async function workBatch(tx: Tx, judge: StreamJudge, limit: number, at: string) {
  const rows = await tx
    .selectFrom('stream_records')
    .select(['event_key', 'record'])
    .where('handled_at', 'is', null)
    .orderBy('number')
    .limit(limit)
    .execute();
  if (rows.length === 0) return { taken: 0, alerts: [] };
  await judge.prepare?.(
    rows.flatMap(({ event_key, record }) => (record === null ? [] : [{ eventKey: event_key, record }])),
  );
  const heeded = rows.flatMap(({ event_key, record }) => (record === null ? [] : [judge.heed(record, event_key)]));
  const entries = heeded.flatMap((one) => one.entries);
  await addEntries(tx, entries);
  const verdict = await judge.judge({
    deeds: heeded.flatMap((one) => one.deeds),
    groups: await groupsOf(tx, entries, judge),
    storiesOf: (accountId, principal) => storiesOf(tx, accountId, principal),
    now: at,
  });
  for (const burst of verdict.bursts) {
    const value = { last: String(burst.last), burst: json(burst) };
    await tx
      .insertInto('stream_bursts')
      .values({ id: burst.id, correlation: text(burst.correlation), group_key: groupKey(burst.group), ...value })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(value))
      .execute();
  }
  for (const story of verdict.stories) {
    const value = { last: String(story.last), story: json(story) };
    await tx
      .insertInto('stream_stories')
      .values({ id: story.id, account_id: indexed(story.accountId), principal: groupKey(story.principal), ...value })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(value))
      .execute();
  }
  const alerts: { readonly alertId: string; readonly alert: Alert }[] = [];
  for (const { deliveryKey, alert, raw } of verdict.alerts) {
    const row = {
      id: newId(),
      delivery_key: text(deliveryKey),
      dedupe_key: text(alert.dedupeKey),
      alert: json(alert),
      raw: json(raw),
      received_at: at,
    };
    const { id } = await tx.insertInto('alerts').values(row).returning('id').executeTakeFirstOrThrow();
    alerts.push({ alertId: id, alert });
  }
  await tx
    .updateTable('stream_records')
    .set({ handled_at: at, record: 'null' })
    .where(
      'event_key',
      'in',
      rows.map((row) => row.event_key),
    )
    .execute();
  return { taken: rows.length, alerts };
}

async function addEntries(tx: Tx, entries: readonly StreamEntry[]): Promise<void> {
  for (let from = 0; from < entries.length; from += 500) {
    await tx
      .insertInto('stream_entries')
      .values(
        entries.slice(from, from + 500).map((entry) => ({
          correlation: text(entry.correlation),
          group_key: groupKey(entry.group),
          event_key: entry.eventKey,
          rule: entry.rule,
          event_id: text(entry.eventId),
          at: String(entry.at),
          values: json(entry.values),
          deed: json(entry.deed),
        })),
      )
      .onConflict((conflict) => conflict.columns(['correlation', 'group_key', 'event_key', 'rule']).doNothing())
      .execute();
  }
}

/** The groups that the batch touches, with what is kept of them around its entries. */
async function groupsOf(tx: Tx, entries: readonly StreamEntry[], judge: StreamJudge) {
  const touched = new Map<string, Group & { from: number; to: number }>();
  for (const { correlation, group, at } of entries) {
    const key = JSON.stringify([correlation, group]);
    const known = touched.get(key) ?? { correlation, group, from: at, to: at };
    touched.set(key, { ...known, from: Math.min(known.from, at), to: Math.max(known.to, at) });
  }
  const groups = [];
  for (const { correlation, group, from, to } of touched.values()) {
    const key = groupKey(group);
    const oldest = from - judge.keepsMs(correlation);
    const rows = await tx
      .selectFrom('stream_entries')
      .select(['event_key', 'event_id', 'at', 'rule', 'values', 'deed'])
      .where('correlation', '=', text(correlation))
      .where('group_key', '=', key)
      .where('at', '>=', String(oldest))
      .where('at', '<=', String(to + judge.keepsMs(correlation)))
      .orderBy('at', 'desc')
      .limit(judge.readsAtMost(correlation))
      .execute();
    const bursts = await tx
      .selectFrom('stream_bursts')
      .select('burst')
      .where('correlation', '=', text(correlation))
      .where('group_key', '=', key)
      .where('last', '>=', String(oldest - judge.keepsMs(correlation)))
      .execute();
    groups.push({
      correlation,
      group,
      entries: rows.map(({ event_key, event_id, at, ...row }) => {
        return { ...row, correlation, group, eventKey: event_key, eventId: event_id, at: Number(at) };
      }),
      bursts: bursts.map(({ burst }) => burst),
    });
  }
  return groups;
}

async function storiesOf(tx: Tx, accountId: string, principal: string) {
  const rows = await tx
    .selectFrom('stream_stories')
    .select('story')
    .where('account_id', '=', indexed(accountId))
    .where('principal', '=', groupKey(principal))
    .orderBy('last', 'desc')
    .limit(20)
    .execute();
  return rows.map(({ story }) => story);
}

/** What stands in an index comes from outside and may be longer than an index takes. */
function groupKey(group: string): string {
  return group.length <= 500 ? text(group) : createHash('sha256').update(group).digest('hex');
}

/** By the database's clock, which processes with clocks of their own share. */
function agoSql(ms: number) {
  return sql<Date>`now() - make_interval(secs => ${Math.round(ms / 1_000)})`;
}

const dayMs = 86_400_000;

async function clean(db: Database, { longestMs, maxAgeMs }: StreamJudge): Promise<void> {
  const known = Math.max(8 * dayMs, maxAgeMs + dayMs);
  await db.deleteFrom('stream_records').where('handled_at', '<', agoSql(known)).execute();
  await db
    .deleteFrom('stream_entries')
    .where('stored_at', '<', agoSql(keptMs + longestMs))
    .execute();
}
