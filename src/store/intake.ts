import { sql } from 'kysely';
import type { IntakeStore, SubscriptionsStore } from '../contracts/intake.ts';
import { asking, type Database, iso, json, newId, optionalText, text } from './database.ts';

export function intakeStore(db: Database): IntakeStore {
  return {
    looked: ({ name, kind, ok, because, taken, at, cursor }) =>
      asking(async () => {
        const reason = optionalText(because);
        const { rows } = await sql<{ changed: boolean }>`
          with before as (select ok, because from intake_sources where name = ${text(name)})
          insert into intake_sources as source (name, kind, ok, because, looked_at, since, taken, cursor)
          values (${text(name)}, ${kind}, ${ok}, ${reason}, ${at}, ${at}, ${taken}, ${optionalText(cursor)})
          on conflict (name) do update set
            ok = excluded.ok, because = excluded.because, looked_at = excluded.looked_at,
            since = case when source.ok = excluded.ok then source.since else excluded.since end,
            taken = source.taken + excluded.taken, cursor = coalesce(excluded.cursor, source.cursor)
          returning not exists (select 1 from before where before.ok = ${ok}
            and before.because is not distinct from ${reason}) as changed
        `.execute(db);
        return { changed: rows[0]?.changed ?? true };
      }),

    cursor: (name) =>
      asking(async () => {
        const row = await db
          .selectFrom('intake_sources')
          .select('cursor')
          .where('name', '=', text(name))
          .executeTakeFirst();
        return row?.cursor ?? undefined;
      }),

    sources: () =>
      asking(async () => {
        const rows = await db.selectFrom('intake_sources').selectAll().orderBy('name').execute();
        return rows.map((row) => ({
          name: row.name,
          kind: row.kind,
          ok: row.ok,
          ...(row.because === null ? {} : { because: row.because }),
          lookedAt: iso(row.looked_at),
          since: iso(row.since),
          taken: Number(row.taken),
        }));
      }),

    knows: ({ dedupeKey, updatedAt, count }) =>
      asking(async () => {
        const { rows } = await sql<{ known: boolean }>`
          select exists (select 1 from alerts where dedupe_key = ${text(dedupeKey)}
            and (alert->>'updatedAt', (alert->>'count')::numeric) >= (${updatedAt}, ${count}::numeric)) as known
        `.execute(db);
        return rows[0]?.known === true;
      }),

    setVerification: (dedupeKey, verification) =>
      asking(async () => {
        const value = json(verification);
        await db
          .insertInto('verifications')
          .values({ dedupe_key: text(dedupeKey), verification: value })
          .onConflict((conflict) => conflict.column('dedupe_key').doUpdateSet({ verification: value }))
          .execute();
      }),

    verification: (dedupeKey) =>
      asking(async () => {
        const row = await db
          .selectFrom('verifications')
          .select('verification')
          .where('dedupe_key', '=', text(dedupeKey))
          .executeTakeFirst();
        return row?.verification;
      }),
  };
}

export function subscriptionsStore(db: Database): SubscriptionsStore {
  return {
    save: ({ messageId, topicArn, wish, token, at }) =>
      asking(async () => {
        const key = text(messageId);
        const saved = await db
          .insertInto('subscriptions')
          .values({ id: newId(), message_id: key, topic_arn: text(topicArn), wish, token: text(token), at })
          .onConflict((conflict) => conflict.column('message_id').doNothing())
          .returning('id')
          .executeTakeFirst();
        if (saved !== undefined) return saved.id;
        const before = await db
          .selectFrom('subscriptions')
          .select('id')
          .where('message_id', '=', key)
          .executeTakeFirstOrThrow();
        return before.id;
      }),

    get: (id) =>
      asking(async () => {
        const row = await db.selectFrom('subscriptions').selectAll().where('id', '=', text(id)).executeTakeFirst();
        if (row === undefined) return undefined;
        return {
          id: row.id,
          topicArn: row.topic_arn,
          wish: row.wish,
          token: row.token,
          at: iso(row.at),
          ...(row.handled_at === null ? {} : { handledAt: iso(row.handled_at) }),
          ...(row.because === null ? {} : { because: row.because }),
        };
      }),

    handled: (id, at, because) =>
      asking(async () => {
        await db
          .updateTable('subscriptions')
          .set({ handled_at: at, token: '', because: optionalText(because) })
          .where('id', '=', text(id))
          .execute();
      }),

    unhandled: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('subscriptions')
          .select('id')
          .where('handled_at', 'is', null)
          .where('at', '<', new Date(olderThan))
          .orderBy('at')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),

    failed: () =>
      asking(async () => {
        const { rows } = await sql<{ topic_arn: string; because: string | null }>`
          select distinct on (topic_arn) topic_arn, because from subscriptions
          where handled_at is not null and wish = 'confirm' order by topic_arn, at desc
        `.execute(db);
        return rows.flatMap(({ topic_arn, because }) => (because === null ? [] : [{ topicArn: topic_arn, because }]));
      }),
  };
}
