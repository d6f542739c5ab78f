import type { InvestigationsStore } from '../contracts/store.ts';
import { asking, type Database, iso, json, newId, optionalText, text } from './database.ts';

export function investigationsStore(db: Database): InvestigationsStore {
  return {
    create: (input) =>
      asking(async () => {
        const id = newId();
        await db
          .insertInto('investigations')
          .values({
            id,
            name: text(input.name),
            request: json(input.request),
            channel: text(input.channel),
            thread_ts: optionalText(input.threadTs),
            requested_by: text(input.requestedBy),
            created_at: input.createdAt,
            case_id: optionalText(input.caseId),
          })
          .execute();
        return id;
      }),

    get: (id) =>
      asking(async () => {
        const row = await db.selectFrom('investigations').selectAll().where('id', '=', text(id)).executeTakeFirst();
        if (row === undefined) return undefined;
        return {
          id: row.id,
          name: row.name,
          request: row.request,
          channel: row.channel,
          threadTs: row.thread_ts ?? undefined,
          requestedBy: row.requested_by,
          createdAt: iso(row.created_at),
          finishedAt: row.finished_at === null ? undefined : iso(row.finished_at),
          caseId: row.case_id ?? undefined,
        };
      }),

    finish: (id, answer, at) =>
      asking(async () => {
        await db
          .updateTable('investigations')
          .set({ answer: json(answer), finished_at: at })
          .where('id', '=', text(id))
          .execute();
      }),

    unfinished: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('investigations')
          .select('id')
          .where('finished_at', 'is', null)
          .where('created_at', '<', new Date(olderThan))
          .orderBy('created_at')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),
  };
}
