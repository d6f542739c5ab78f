import { type Selectable, sql } from 'kysely';
import type { DeadLetter, DeadLettersStore } from '../contracts/intake.ts';
import { asking, type Database, iso, newId, optionalText, text } from './database.ts';
import type { Tables } from './tables.ts';

/** An alert whose handling failed is open only while it is still unhandled: the sweep tries it again by itself. */
const stillOpen = sql<boolean>`settled_at is null and not exists
  (select 1 from alerts where alerts.id = dead_letters.alert_id and alerts.handled_at is not null)`;

export function deadLettersStore(db: Database): DeadLettersStore {
  return {
    keep: (letter) =>
      asking(async () => {
        const kept = await db
          .insertInto('dead_letters')
          .values({
            id: newId(),
            key: text(letter.key),
            door: letter.door,
            came_from: text(letter.from),
            reason: text(letter.reason),
            body: optionalText(letter.body),
            alert_id: optionalText(letter.alertId),
            at: letter.at,
          })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet({
              times: sql`dead_letters.times + 1`,
              reason: text(letter.reason),
              settled_at: null,
              outcome: null,
            }),
          )
          .returning('id')
          .executeTakeFirstOrThrow();
        return kept.id;
      }),

    get: (id) =>
      asking(async () => {
        const row = await db.selectFrom('dead_letters').selectAll().where('id', '=', text(id)).executeTakeFirst();
        return row === undefined ? undefined : letterOf(row);
      }),

    open: (limit, after) =>
      asking(async () => {
        const rows = await db
          .selectFrom('dead_letters')
          .selectAll()
          .where(stillOpen)
          .$if(after !== undefined, (query) =>
            query.where('number', '>', (eb) =>
              eb
                .selectFrom('dead_letters')
                .select('number')
                .where('id', '=', text(after ?? '')),
            ),
          )
          .orderBy('number')
          .limit(limit)
          .execute();
        return rows.map(letterOf);
      }),

    settle: (id, outcome, at) =>
      asking(async () => {
        await db
          .updateTable('dead_letters')
          .set({ settled_at: at, outcome: text(outcome) })
          .where('id', '=', text(id))
          .execute();
      }),

    failedAgain: (id, reason) =>
      asking(async () => {
        await db
          .updateTable('dead_letters')
          .set({ times: sql`times + 1`, reason: text(reason) })
          .where('id', '=', text(id))
          .execute();
      }),

    counts: () =>
      asking(async () => {
        const rows = await db
          .selectFrom('dead_letters')
          .select(['door', (eb) => eb.fn.countAll<string>().as('count')])
          .where(stillOpen)
          .groupBy('door')
          .execute();
        return Object.fromEntries(rows.map(({ door, count }) => [door, Number(count)]));
      }),
  };
}

function letterOf(row: Selectable<Tables['dead_letters']>): DeadLetter {
  return {
    id: row.id,
    door: row.door,
    from: row.came_from,
    reason: row.reason,
    at: iso(row.at),
    times: row.times,
    ...(row.body === null ? {} : { body: row.body }),
    ...(row.alert_id === null ? {} : { alertId: row.alert_id }),
    ...(row.settled_at === null ? {} : { settledAt: iso(row.settled_at) }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
  };
}
