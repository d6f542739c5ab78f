/** Strikes with their steps, notices of what waits, and looks at what is still alive. */
import { sql } from 'kysely';
import type { AliveLooksStore, NoticesStore, StrikesStore } from '../contracts/strike.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, iso, json, newId, text } from './database.ts';

export function strikesStore(db: Database): StrikesStore {
  return {
    ask: (request) =>
      asking(async () => {
        const id = newId();
        await db.transaction().execute(async (tx) => {
          await tx
            .insertInto('strikes')
            .values({ id, request: json(request), received_at: request.at, notes: json([]) })
            .execute();
          const { userId, caseId, at, channel } = request;
          await appendAudit(tx, {
            event: 'strike.ask',
            actor: userId,
            caseId,
            at,
            payload: { strikeId: id, channel },
          });
        });
        return id;
      }),

    get: (id) =>
      asking(async () => {
        const row = await db.selectFrom('strikes').selectAll().where('id', '=', text(id)).executeTakeFirst();
        if (row === undefined) return undefined;
        const rows = await db
          .selectFrom('strike_steps')
          .innerJoin('containment_requests', 'containment_requests.id', 'strike_steps.request_id')
          .select(['request_id', 'step', 'handled_at'])
          .where('strike_id', '=', row.id)
          .orderBy('index')
          .execute();
        const steps = rows.map(({ request_id, step, handled_at }) => ({
          ...step,
          requestId: request_id,
          isPlanned: handled_at !== null,
        }));
        return { ...row.request, id: row.id, steps: row.planned_at === null ? undefined : steps, notes: row.notes };
      }),

    plan: (id, steps, notes, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const row = await tx
            .selectFrom('strikes')
            .selectAll()
            .where('id', '=', text(id))
            .where('planned_at', 'is', null)
            .forUpdate()
            .executeTakeFirst();
          if (row === undefined) return false;
          const { userId, channel, threadTs, caseId } = row.request;
          for (const [index, step] of steps.entries()) {
            const requestId = newId();
            const { action, words } = step;
            const wish = { action, words, userId, channel, threadTs, caseId, at };
            await tx
              .insertInto('containment_requests')
              .values({ id: requestId, request: json(wish), received_at: at })
              .execute();
            await tx
              .insertInto('strike_steps')
              .values({ strike_id: row.id, index, request_id: requestId, step: json(step) })
              .execute();
            const payload = { requestId, action, words, channel, strikeId: row.id };
            await appendAudit(tx, { event: 'ask', actor: userId, caseId, at, payload });
          }
          await tx
            .updateTable('strikes')
            .set({ planned_at: at, notes: json(notes) })
            .where('id', '=', row.id)
            .execute();
          return true;
        }),
      ),

    ofRequest: (requestId) =>
      asking(async () => {
        const found = db.selectFrom('strike_steps').select('strike_id').where('request_id', '=', text(requestId));
        return (await found.executeTakeFirst())?.strike_id;
      }),

    ofApproval: (approvalId) =>
      asking(async () => {
        const row = await db
          .selectFrom('strike_steps')
          .innerJoin('approvals', 'approvals.request_id', 'strike_steps.request_id')
          .select('strike_steps.strike_id')
          .where('approvals.id', '=', text(approvalId))
          .executeTakeFirst();
        return row?.strike_id;
      }),

    earlier: (approvalId) =>
      asking(async () => {
        const { rows } = await sql<{ id: string }>`
          select before.id from approvals self
          join strike_steps mine on mine.request_id = self.request_id
          join strike_steps other on other.strike_id = mine.strike_id and other.index < mine.index
          join approvals before on before.request_id = other.request_id
          where self.id = ${text(approvalId)} order by other.index`.execute(db);
        return rows.map(({ id }) => id);
      }),

    ofCase: (caseId) =>
      asking(async () => {
        const strikes = await db
          .selectFrom('strikes')
          .select('id')
          .where(sql<string>`request->>'caseId'`, '=', text(caseId))
          .execute();
        const approvals = await db.selectFrom('approvals').select('id').where('case_id', '=', text(caseId)).execute();
        return { strikes: strikes.map(({ id }) => id), approvals: approvals.map(({ id }) => id) };
      }),

    unplanned: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('strikes')
          .select('id')
          .where('planned_at', 'is', null)
          .where('received_at', '<', new Date(olderThan))
          .orderBy('number')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),
  };
}

export function noticesStore(db: Database): NoticesStore {
  return {
    open: (limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('approvals')
          .select('id')
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('approval_notices')
                  .select('approval_notices.approval_id')
                  .whereRef('approval_notices.approval_id', '=', 'approvals.id')
                  .where('approval_notices.stage', '=', 'ended'),
              ),
            ),
          )
          .orderBy('number', 'desc')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),

    of: (approvalId) =>
      asking(async () => {
        const rows = await db
          .selectFrom('approval_notices')
          .selectAll()
          .where('approval_id', '=', text(approvalId))
          .orderBy('at')
          .execute();
        return rows.map(({ stage, told, at }) => ({ stage, told, at: iso(at) }));
      }),

    note: (approvalId, { stage, told, at }) =>
      asking(async () => {
        await db
          .insertInto('approval_notices')
          .values({ approval_id: text(approvalId), stage, told: json(told), at })
          .onConflict((conflict) => conflict.columns(['approval_id', 'stage']).doNothing())
          .execute();
      }),
  };
}

export function aliveLooksStore(db: Database): AliveLooksStore {
  return {
    last: (approvalId) =>
      asking(async () => {
        const found = db.selectFrom('alive_looks').select('look').where('approval_id', '=', text(approvalId));
        return (await found.executeTakeFirst())?.look;
      }),

    save: (approvalId, look, at) =>
      asking(async () => {
        const values = { look: json(look), over: look.over, at };
        await db
          .insertInto('alive_looks')
          .values({ approval_id: text(approvalId), ...values })
          .onConflict((conflict) => conflict.column('approval_id').doUpdateSet(values))
          .execute();
      }),

    waiting: (since, olderThan, limit) =>
      asking(async () => {
        const { rows } = await sql<{ id: string }>`
          select a.id from approvals a left join alive_looks l on l.approval_id = a.id
          where a.state = 'verified' and a.undo_of is null and a.sent_at > ${since}
            and coalesce(l.over, false) = false and coalesce(l.at, a.sent_at) < ${olderThan}
          order by a.number limit ${limit}`.execute(db);
        return rows.map(({ id }) => id);
      }),
  };
}
