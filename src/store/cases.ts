import { type Selectable, sql } from 'kysely';
import type { Alert } from '../contracts/alert.ts';
import type { CasesStore } from '../contracts/store.ts';
import { appendAudit } from './audit.ts';
import { caseOf, nextCaseId } from './case-rows.ts';
import { asking, type Database, json, newId, text } from './database.ts';
import { openOrMerge } from './open-or-merge.ts';
import type { Tables } from './tables.ts';

export function casesStore(db: Database): CasesStore {
  return {
    openOrMerge: (input) => asking(() => db.transaction().execute((tx) => openOrMerge(tx, input))),

    isOpen: (dedupeKey) =>
      asking(async () => {
        const row = await db
          .selectFrom('case_findings')
          .select('case_id')
          .where('dedupe_key', '=', text(dedupeKey))
          .executeTakeFirst();
        return row !== undefined;
      }),

    ofMessage: (channel, ts) =>
      asking(async () => {
        const row = await db
          .selectFrom('cases')
          .select('id')
          .where('channel', '=', text(channel))
          .where('message_ts', '=', text(ts))
          .executeTakeFirst();
        return row?.id;
      }),

    get: (caseId) =>
      asking(async () => {
        const row = await db.selectFrom('cases').selectAll().where('id', '=', text(caseId)).executeTakeFirst();
        return row === undefined ? undefined : caseOf(row);
      }),

    brief: (caseId) =>
      asking(async () => {
        const row = await db
          .selectFrom('cases')
          .select(['id', 'alert', 'restricted_to'])
          .where('id', '=', text(caseId))
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const restrictedTo = row.restricted_to === null ? {} : { restrictedTo: row.restricted_to };
        return { id: row.id, alertType: row.alert.type, ...restrictedTo };
      }),

    ofKey: (dedupeKey) =>
      asking(async () => {
        const row = await db
          .selectFrom('case_findings')
          .select('case_id')
          .where('dedupe_key', '=', text(dedupeKey))
          .executeTakeFirst();
        return row?.case_id;
      }),

    naming: (id, accountId, since) =>
      asking(async () => {
        const { rows } = await sql<{ id: string }>`
          select id from cases where opened_at >= ${since} and restricted_to is null
          and alert->>'accountId' = ${text(accountId)} and alert->>'sample' is distinct from 'true' and merged_into is null and verdict is null
          and (${text(id)} in (alert->'actor'->>'accessKeyId', alert->'actor'->>'principalArn', alert->'resource'->>'id')
            or exists (select from json_array_elements_text(alert->'resourceIds') as named(id) where named.id = ${text(id)}))
          order by message_ts is null, opened_at desc limit 1`.execute(db);
        return rows[0]?.id;
      }),

    openByHand: ({ title, channel, accountId, at }) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const dedupeKey = `hand-${newId()}`;
          const alert = alertByHand(title, accountId, dedupeKey, at);
          const opened = await tx
            .insertInto('cases')
            .values({
              id: nextCaseId,
              dedupe_key: dedupeKey,
              alert: json(alert),
              channel: text(channel),
              opened_at: at,
            })
            .returning('id')
            .executeTakeFirstOrThrow();
          const payload = { title, accountId, source: 'hand' };
          await appendAudit(tx, { event: 'case.opened', actor: 'firebreak', caseId: opened.id, at, payload });
          return opened.id;
        }),
      ),

    setMessage: (caseId, channel, ts) =>
      asking(async () => {
        await db
          .updateTable('cases')
          .set({ channel: text(channel), message_ts: text(ts) })
          .where('id', '=', text(caseId))
          .execute();
      }),

    restrict: (caseId, userIds, by, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const restricted = [...new Set([...userIds, by])].sort();
          const closed: string[] = [];
          // What is said of a part is said in the case that it is part of.
          for (let next: string | null = text(caseId); next !== null && !closed.includes(next); ) {
            const row: Pick<Selectable<Tables['cases']>, 'id' | 'restricted_to' | 'merged_into'> | undefined = await tx
              .selectFrom('cases')
              .select(['id', 'restricted_to', 'merged_into'])
              .where('id', '=', next)
              .forUpdate()
              .executeTakeFirst();
            if (row === undefined || (row.restricted_to !== null && !row.restricted_to.includes(by))) break;
            await tx
              .updateTable('cases')
              .set((update) => ({ restricted_to: json(restricted), version: sql`${update.ref('version')} + 1` }))
              .where('id', '=', row.id)
              .execute();
            await appendAudit(tx, { event: 'case.restricted', actor: by, caseId: row.id, at, payload: { restricted } });
            closed.push(row.id);
            next = row.merged_into;
          }
          return closed;
        }),
      ),

    acknowledge: (caseId, userId, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const first = await tx
            .updateTable('cases')
            .set({ acknowledged_by: text(userId), acknowledged_at: at })
            .where('id', '=', text(caseId))
            .where('acknowledged_by', 'is', null)
            .returning('id')
            .executeTakeFirst();
          if (first === undefined) return false;
          await appendAudit(tx, { event: 'case.acknowledged', actor: userId, caseId, at, payload: {} });
          return true;
        }),
      ),
  };
}

/** What stands in for a finding where a person opened the case: empty where only a finding would know. */
function alertByHand(title: string, accountId: string, dedupeKey: string, at: string): Alert {
  return {
    source: 'report',
    dedupeKey,
    updatedAt: at,
    count: 0,
    findingId: '',
    type: '',
    severity: 0,
    title,
    description: '',
    partition: '',
    accountId,
    region: '',
    resource: { type: '' },
    resourceIds: [],
    actor: {},
    remote: [],
    sample: false,
    archived: false,
    notes: ['opened by hand: there is no finding behind this case'],
  };
}
