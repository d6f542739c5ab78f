import { sql } from 'kysely';
import type { AthenaLedger } from '../contracts/athena.ts';
import { asking, type Database, optionalText, text } from './database.ts';

/** Any number that no other lock of ours has: reservations wait for each other. */
const lockNumber = 7_310_010;

/** Days are UTC days of the query's own time. */
export function athenaLedger(db: Database): AthenaLedger {
  return {
    reserve: (input) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          await sql`select pg_advisory_xact_lock(${lockNumber})`.execute(tx);
          const day = input.at.slice(0, 10);
          const { rows } = await sql<{ day: string; mine: string }>`
            select coalesce(sum(bytes) filter (where (at at time zone 'UTC')::date = ${day}::date), 0)::text as day,
              coalesce(sum(bytes) filter (where case_id = ${optionalText(input.caseId)}), 0)::text as mine
            from athena_queries
            where (at at time zone 'UTC')::date = ${day}::date or case_id = ${optionalText(input.caseId)}
          `.execute(tx);
          const leftOfDay = input.maxPerDay - Number(rows[0]?.day ?? 0);
          const leftOfCase =
            input.caseId === undefined ? Number.POSITIVE_INFINITY : input.maxPerCase - Number(rows[0]?.mine ?? 0);
          const left = Math.max(0, Math.min(leftOfDay, leftOfCase));
          if (input.bytes > left)
            return { granted: false, left, limit: leftOfCase < leftOfDay ? ('case' as const) : ('day' as const) };
          await tx
            .insertInto('athena_queries')
            .values({
              id: text(input.id),
              case_id: optionalText(input.caseId),
              title: text(input.title),
              bytes: String(Math.round(input.bytes)),
              at: input.at,
            })
            .execute();
          return { granted: true, left: left - input.bytes, limit: undefined };
        }),
      ),

    settle: (id, bytes) =>
      asking(async () => {
        await db
          .updateTable('athena_queries')
          .set({ bytes: String(Math.round(bytes)), settled: true })
          .where('id', '=', text(id))
          .execute();
      }),
  };
}
