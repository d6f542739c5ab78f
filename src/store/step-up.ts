/** Enrollments, codes on their way, and proofs. The enrollment's secret is for the executor's role of the database alone. */

import type { Transaction } from 'kysely';
import type { StepUpStore } from '../contracts/step-up.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, iso, text } from './database.ts';
import type { Tables } from './tables.ts';

export function stepUpStore(db: Database): StepUpStore {
  return {
    enroll: ({ userId, secret, enrolledAt, activeAt, enrolledBy }, earlier) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const values = {
            secret: text(secret),
            enrolled_at: enrolledAt,
            active_at: activeAt,
            enrolled_by: text(enrolledBy),
          };
          const added =
            earlier === undefined
              ? await tx
                  .insertInto('enrollments')
                  .values({ user_id: text(userId), last_step: 0, ...values })
                  .onConflict((conflict) => conflict.column('user_id').doNothing())
                  .returning('user_id')
                  .executeTakeFirst()
              : await tx
                  .updateTable('enrollments')
                  .set(values)
                  .where('user_id', '=', text(userId))
                  .where('secret', '=', earlier.secret)
                  .returning('user_id')
                  .executeTakeFirst();
          if (added === undefined) return false;
          const payload = { userId, activeAt };
          await appendAudit(tx, { event: 'enroll', actor: enrolledBy, at: enrolledAt, payload });
          return true;
        }),
      ),

    enrollment: (userId) =>
      asking(async () => {
        const row = await db
          .selectFrom('enrollments')
          .selectAll()
          .where('user_id', '=', text(userId))
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const { secret, enrolled_by: enrolledBy } = row;
        return { userId, secret, enrolledAt: iso(row.enrolled_at), activeAt: iso(row.active_at), enrolledBy };
      }),

    enrolled: (since) =>
      asking(async () => {
        const rows = await db
          .selectFrom('enrollments')
          .select(['user_id', 'enrolled_at', 'active_at', 'enrolled_by'])
          .where('enrolled_at', '>=', new Date(since))
          .orderBy('enrolled_at')
          .execute();
        return rows.map((row) => ({
          userId: row.user_id,
          enrolledAt: iso(row.enrolled_at),
          activeAt: iso(row.active_at),
          enrolledBy: row.enrolled_by,
        }));
      }),

    takeCode: (voteId) =>
      asking(async () => {
        const row = await db
          .deleteFrom('vote_codes')
          .where('vote_id', '=', text(voteId))
          .returning('code')
          .executeTakeFirst();
        return row?.code;
      }),

    hasCode: (voteId) =>
      asking(async () => {
        const found = db.selectFrom('vote_codes').select('vote_id').where('vote_id', '=', text(voteId));
        return (await found.executeTakeFirst()) !== undefined;
      }),

    failures: (userId, since) =>
      asking(async () => {
        const row = await db
          .selectFrom('code_failures')
          .select((select) => select.fn.countAll<string>().as('failures'))
          .where('user_id', '=', text(userId))
          .where('at', '>', new Date(since))
          .executeTakeFirstOrThrow();
        return Number(row.failures);
      }),

    failed: (userId, at) =>
      asking(async () => {
        await db
          .insertInto('code_failures')
          .values({ user_id: text(userId), at })
          .execute();
      }),

    prove: ({ approvalId, userId, planHash, timeStep, at }) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          if (!(await useStep(tx, userId, timeStep))) return false;
          const row = { approval_id: text(approvalId), user_id: text(userId), plan_hash: text(planHash), at };
          await tx
            .insertInto('proofs')
            .values(row)
            .onConflict((conflict) => conflict.columns(['approval_id', 'user_id', 'plan_hash']).doUpdateSet({ at }))
            .execute();
          await appendAudit(tx, { event: 'prove', actor: userId, approvalId, at, payload: { planHash } });
          return true;
        }),
      ),

    spend: ({ userId, timeStep, for: what, at }) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          if (!(await useStep(tx, userId, timeStep))) return false;
          await appendAudit(tx, { event: 'prove', actor: userId, at, payload: { for: what } });
          return true;
        }),
      ),

    proofs: (approvalId) =>
      asking(async () => {
        const rows = await db
          .selectFrom('proofs')
          .selectAll()
          .where('approval_id', '=', text(approvalId))
          .orderBy('user_id')
          .execute();
        return rows.map((row) => ({ userId: row.user_id, planHash: row.plan_hash, at: iso(row.at) }));
      }),

    refuse: (voteId, because) =>
      asking(async () => {
        const row = { vote_id: text(voteId), because: text(because) };
        await db
          .insertInto('vote_refusals')
          .values(row)
          .onConflict((conflict) => conflict.column('vote_id').doUpdateSet({ because: row.because }))
          .execute();
      }),

    refusal: (voteId) =>
      asking(async () => {
        const found = db.selectFrom('vote_refusals').select('because').where('vote_id', '=', text(voteId));
        return (await found.executeTakeFirst())?.because;
      }),
  };
}

/** The row lock orders two codes of one person; the older time step never counts after the newer one. */
async function useStep(tx: Transaction<Tables>, userId: string, timeStep: number): Promise<boolean> {
  const used = await tx
    .updateTable('enrollments')
    .set({ last_step: timeStep })
    .where('user_id', '=', text(userId))
    .where('last_step', '<', String(timeStep))
    .returning('user_id')
    .executeTakeFirst();
  return used !== undefined;
}
