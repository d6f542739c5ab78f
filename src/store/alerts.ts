import { sql } from 'kysely';
import type { AlertsStore } from '../contracts/store.ts';
import { asking, type Database, iso, json, newId, text, withoutWaiting } from './database.ts';

export function alertsStore(db: Database): AlertsStore {
  return {
    receive: ({ deliveryKey, alert, raw, at }) =>
      asking(async () => {
        const key = text(deliveryKey);
        const stored = await db
          .insertInto('alerts')
          .values({
            id: newId(),
            delivery_key: key,
            dedupe_key: text(alert.dedupeKey),
            alert: json(alert),
            raw: json(raw),
            received_at: at,
          })
          .onConflict((conflict) => conflict.column('delivery_key').doNothing())
          .returning('id')
          .executeTakeFirst();
        if (stored !== undefined) return { alertId: stored.id, repeat: false };
        const before = await db
          .selectFrom('alerts')
          .select('id')
          .where('delivery_key', '=', key)
          .executeTakeFirstOrThrow();
        return { alertId: before.id, repeat: true };
      }),

    get: (alertId) =>
      asking(async () => {
        const row = await db
          .selectFrom('alerts')
          .select(['alert', 'received_at', 'handled_at'])
          .where('id', '=', text(alertId))
          .executeTakeFirst();
        if (row === undefined) return undefined;
        return {
          alert: row.alert,
          receivedAt: iso(row.received_at),
          handledAt: row.handled_at === null ? undefined : iso(row.handled_at),
        };
      }),

    markHandled: (alertId, at) =>
      asking(async () => {
        await db
          .updateTable('alerts')
          .set({ handled_at: at })
          .where('id', '=', text(alertId))
          .where(sql<boolean>`${withoutWaiting} = 'off'`)
          .execute();
      }),

    unhandled: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('alerts')
          .select('id')
          .where('handled_at', 'is', null)
          .where('received_at', '<', new Date(olderThan))
          .orderBy('received_at')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),
  };
}
