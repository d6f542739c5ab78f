/** How cases are shown, verdicts, and what made the noise; digests and snoozes have files of their own. */
import { sql } from 'kysely';
import type { NoiseRow, NoiseStore } from '../contracts/noise.ts';
import { admit, isCalm } from './admission.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, text } from './database.ts';
import { digestsStore } from './digests.ts';
import { snoozesStore } from './snoozes.ts';

export function noiseStore(db: Database): NoiseStore {
  return {
    admit: (input) => asking(() => db.transaction().execute((tx) => admit(tx, input))),
    isCalm: (channel, at, limit) => asking(() => isCalm(db, channel, at, limit)),
    ...deliveryStore(db),
    ...digestsStore(db),
    ...snoozesStore(db),
    ...countsStore(db),
  };
}

type Delivery = Pick<
  NoiseStore,
  'promote' | 'undelivered' | 'entryDelivered' | 'shown' | 'behind' | 'mergedInto' | 'falsePositive'
>;

function deliveryStore(db: Database): Delivery {
  return {
    promote: (caseId, at, channel) =>
      asking(async () => {
        const entries = sql<number>`coalesce((select max(number) from case_entries where case_id = ${text(caseId)}), 1)`;
        const promoted = await db
          .updateTable('cases')
          .set({ admission: 'card', admitted_at: at, last_at: at, card_from: entries, shown_version: 0 })
          .$if(channel !== undefined, (update) => update.set({ channel: text(channel ?? '') }))
          .where('id', '=', text(caseId))
          .where('admission', 'in', ['digest', 'snoozed', 'merged'])
          .returning('id')
          .executeTakeFirst();
        return promoted !== undefined;
      }),

    undelivered: (caseId) =>
      asking(async () => {
        const most = 200;
        // Read first: what comes in meanwhile is not taken for delivered.
        const newest = await db
          .selectFrom('case_entries')
          .select(({ fn }) => fn.max('number').as('number'))
          .where('case_id', '=', text(caseId))
          .executeTakeFirst();
        const rows = await db
          .selectFrom('case_entries')
          .select(['number', 'alert_id', 'said', 'own_channel'])
          .where('case_id', '=', text(caseId))
          .where('delivered', '=', false)
          .where('number', '<=', Number(newest?.number ?? 0))
          .orderBy('number')
          .limit(most)
          .execute();
        const entries = rows.map((row) => ({
          number: row.number,
          alertId: row.alert_id,
          said: row.said ?? undefined,
          ownChannel: row.own_channel ?? undefined,
        }));
        const cut = entries.length === most ? entries.at(-1)?.number : undefined;
        return { upTo: cut ?? Number(newest?.number ?? 0), entries };
      }),

    entryDelivered: (caseId, number) =>
      asking(async () => {
        await db
          .updateTable('case_entries')
          .set({ delivered: true })
          .where('case_id', '=', text(caseId))
          .where('number', '=', number)
          .execute();
      }),

    shown: (caseId, version, upToEntry, at) =>
      asking(async () => {
        await db
          .updateTable('cases')
          .set({ shown_version: version })
          .where('id', '=', text(caseId))
          .where('shown_version', '<', version)
          .execute();
        const told = db
          .selectFrom('case_entries')
          .select('alert_id')
          .where('case_id', '=', text(caseId))
          .where('number', '<=', upToEntry);
        await db
          .updateTable('alerts')
          .set({ handled_at: at })
          .where('handled_at', 'is', null)
          .where('id', 'in', told)
          .execute();
      }),

    behind: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('cases')
          .select('id')
          .where('admission', '=', 'card')
          .where('last_at', '<', new Date(olderThan))
          .whereRef('shown_version', '<', 'version')
          .orderBy('last_at')
          .limit(limit)
          .execute();
        return rows.map(({ id }) => id);
      }),

    mergedInto: (caseId) =>
      asking(async () => {
        const rows = await db
          .selectFrom('cases')
          .select('id')
          .where('merged_into', '=', text(caseId))
          .orderBy('opened_at')
          .execute();
        return rows.map(({ id }) => id);
      }),

    falsePositive: (caseId, userId, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const marked = await tx
            .updateTable('cases')
            .set({ verdict: 'false-positive', verdict_by: text(userId), verdict_at: at })
            .where('id', '=', text(caseId))
            .where('verdict', 'is', null)
            .returning('id')
            .executeTakeFirst();
          if (marked === undefined) return false;
          await appendAudit(tx, { event: 'case.false-positive', actor: userId, caseId, at, payload: {} });
          return true;
        }),
      ),
  };
}

function countsStore(db: Database): Pick<NoiseStore, 'report' | 'waiting'> {
  return {
    report: (since, until, limit) =>
      asking(async () => {
        const { rows } = await sql<NoiseRow>`
          select c.alert->>'accountId' as "accountId", c.alert->>'type' as type,
            coalesce(sum(e.alerts), 0)::int as alerts, count(*)::int as cases,
            (count(*) filter (where c.admission = 'card'))::int as cards,
            (count(*) filter (where c.admission = 'digest'))::int as lines,
            (count(*) filter (where c.admission = 'snoozed'))::int as snoozed,
            (count(*) filter (where c.verdict = 'false-positive'))::int as "falsePositives",
            (count(*) filter (where c.acknowledged_by is not null))::int as acknowledged
          from cases c join (select case_id, count(*) as alerts from case_entries
            where at >= ${since}::timestamptz and at < ${until}::timestamptz group by case_id) e on e.case_id = c.id
          group by 1, 2 order by alerts desc, cases desc, type limit ${limit}`.execute(db);
        return rows;
      }),

    waiting: () =>
      asking(async () => {
        const { rows } = await sql<{ alerts: number; criticals: number; lines: number }>`
          select (select count(*) from alerts where handled_at is null)::int as alerts,
            (select count(*) from alerts where handled_at is null and (alert->>'severity')::numeric >= 9)::int as criticals,
            (select coalesce(sum(total - shown), 0) from digests where shown < total)::int as lines`.execute(db);
        return rows[0] ?? { alerts: 0, criticals: 0, lines: 0 };
      }),
  };
}
