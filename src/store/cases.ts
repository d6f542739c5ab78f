import { type Selectable, sql } from 'kysely';
import type { Alert } from '../contracts/alert.ts';
import type { Case, CasesStore } from '../contracts/store.ts';
import { mergedAlert } from '../domain/alert-merge.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, iso, json, newId, text } from './database.ts';
import type { Tables } from './tables.ts';

const nextCaseId = sql<string>`'IR-' || nextval('case_number')`;

export function casesStore(db: Database): CasesStore {
  return {
    openOrMerge: ({ alert, channel, at }) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const key = text(alert.dedupeKey);
          const find = () =>
            tx.selectFrom('cases').selectAll().where('dedupe_key', '=', key).forUpdate().executeTakeFirst();
          let found = await find();
          if (found === undefined) {
            const opened = await tx
              .insertInto('cases')
              .values({ id: nextCaseId, dedupe_key: key, alert: json(alert), channel: text(channel), opened_at: at })
              .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
              .returningAll()
              .executeTakeFirst();
            if (opened !== undefined) {
              const { type, severity, accountId, region, findingId } = alert;
              const payload = { type, severity, accountId, region, findingId, source: alert.source };
              await appendAudit(tx, { event: 'case.opened', actor: 'firebreak', caseId: opened.id, at, payload });
              return { case: caseOf(opened), previous: undefined };
            }
            // Another finding of the same key won the race and has committed.
            found = await find();
          }
          if (found === undefined) throw new Error('a case vanished while it was locked');
          const merged = mergedAlert(found.alert, alert);
          if (merged === found.alert) return { case: caseOf(found), previous: found.alert };
          await tx
            .updateTable('cases')
            .set({ alert: json(merged) })
            .where('id', '=', found.id)
            .execute();
          return { case: caseOf({ ...found, alert: merged }), previous: found.alert };
        }),
      ),

    isOpen: (dedupeKey) =>
      asking(async () => {
        const row = await db
          .selectFrom('cases')
          .select('id')
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

    ofKey: (dedupeKey) =>
      asking(async () => {
        const row = await db
          .selectFrom('cases')
          .select('id')
          .where('dedupe_key', '=', text(dedupeKey))
          .executeTakeFirst();
        return row?.id;
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

function caseOf(row: Selectable<Tables['cases']>): Case {
  return {
    id: row.id,
    dedupeKey: row.dedupe_key,
    alert: row.alert,
    channel: row.channel,
    messageTs: row.message_ts ?? undefined,
    acknowledgedBy: row.acknowledged_by ?? undefined,
    acknowledgedAt: row.acknowledged_at === null ? undefined : iso(row.acknowledged_at),
    openedAt: iso(row.opened_at),
  };
}
