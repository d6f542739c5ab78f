import { sql, type Transaction } from 'kysely';
import type { EscalationsStore } from '../contracts/noise.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, iso, text } from './database.ts';
import type { Tables } from './tables.ts';

/** Who is called when nobody looks. A level that is settled is never fired again. */
export function escalationsStore(db: Database): EscalationsStore {
  return {
    arm: (caseId, round, levels) =>
      asking(async () => {
        if (levels.length === 0) return;
        await db
          .insertInto('escalations')
          .values(levels.map(({ level, dueAt }) => ({ case_id: text(caseId), round, level, due_at: dueAt })))
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }),

    hurry: (caseId, levels, at) =>
      asking(async () => {
        if (levels.length === 0) return;
        await db
          .updateTable('escalations')
          .set({ due_at: at })
          .where('case_id', '=', text(caseId))
          .where('level', 'in', [...levels])
          .where('settled_at', 'is', null)
          .where('due_at', '>', new Date(at))
          .execute();
      }),

    due: (at, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('escalations as e')
          .innerJoin('cases as c', 'c.id', 'e.case_id')
          .select(['e.case_id', 'e.round', 'e.level', 'e.due_at'])
          .where('e.settled_at', 'is', null)
          .where('e.due_at', '<=', new Date(at))
          .where('c.acknowledged_by', 'is', null)
          .where('c.verdict', 'is', null)
          .where('c.merged_into', 'is', null)
          .whereRef('e.round', '=', 'c.round')
          .orderBy('e.due_at')
          .limit(limit)
          .execute();
        return rows.map((row) => ({
          caseId: row.case_id,
          round: row.round,
          level: row.level,
          dueAt: iso(row.due_at),
        }));
      }),

    open: ({ caseId, round, level }) =>
      asking(async () => {
        const row = await db
          .selectFrom('escalations')
          .select('level')
          .where('case_id', '=', text(caseId))
          .where('round', '=', round)
          .where('level', '=', level)
          .where('settled_at', 'is', null)
          .executeTakeFirst();
        return row !== undefined;
      }),

    settle: ({ caseId, round, level, outcome, at }) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const settled = await tx
            .updateTable('escalations')
            .set({ settled_at: sql`coalesce(settled_at, ${at}::timestamptz)`, outcome: text(outcome) })
            .where('case_id', '=', text(caseId))
            .where('round', '=', round)
            .where('level', '=', level)
            .where('settled_at', 'is', null)
            .returning('level')
            .executeTakeFirst();
          if (settled === undefined) return;
          await appendAudit(tx, {
            event: 'escalated',
            actor: 'firebreak',
            caseId,
            at,
            payload: { level, round, outcome },
          });
        }),
      ),
  };
}

/** Nobody looked in the round that is over: who was to be called in it is called in the next one, when he was due. */
export async function takeCallsAlong(tx: Transaction<Tables>, caseId: string, round: number): Promise<void> {
  await tx
    .updateTable('escalations')
    .set({ round: round + 1 })
    .where('case_id', '=', caseId)
    .where('round', '=', round)
    .where('settled_at', 'is', null)
    .execute();
}
