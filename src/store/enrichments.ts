import { type Selectable, sql } from 'kysely';
import type { Enrichment, EnrichmentsStore } from '../contracts/enrichment.ts';
import { asking, type Database, iso, json, text } from './database.ts';
import type { Tables } from './tables.ts';

/** Answers on subjects that nobody asked for again are forgotten after a day. */
const keptFor = sql`interval '1 day'`;

export function enrichmentsStore(db: Database): EnrichmentsStore {
  return {
    want: (caseId, version, at, staleBefore) =>
      asking(async () => {
        const fresh = { parts: [], accountMissing: [] };
        const changed = await db
          .insertInto('enrichments')
          .values({
            case_id: text(caseId),
            version: text(version),
            wanted_at: at,
            finished_at: null,
            state: json(fresh),
          })
          .onConflict((conflict) =>
            conflict
              .column('case_id')
              // What was learned stays on the card until there is something newer.
              .doUpdateSet({ version: text(version), wanted_at: at, finished_at: null, tries: 0 })
              .where((is) =>
                is.or([
                  is('enrichments.version', '!=', text(version)),
                  is('enrichments.finished_at', '<', new Date(staleBefore)),
                ]),
              ),
          )
          .returning('case_id')
          .executeTakeFirst();
        return changed !== undefined;
      }),

    get: (caseId) =>
      asking(async () => {
        const row = await db
          .selectFrom('enrichments')
          .selectAll()
          .where('case_id', '=', text(caseId))
          .executeTakeFirst();
        return row === undefined ? undefined : enrichmentOf(row);
      }),

    save: ({ caseId, version, finishedAt, tries, wantedAt: _wanted, ...state }) =>
      asking(async () => {
        await db
          .updateTable('enrichments')
          .set({ state: json(state), tries, finished_at: finishedAt ?? null })
          .where('case_id', '=', text(caseId))
          .where('version', '=', text(version))
          .execute();
      }),

    unfinished: (olderThan, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('enrichments')
          .select('case_id')
          .where('finished_at', 'is', null)
          .where('wanted_at', '<', new Date(olderThan))
          .orderBy('wanted_at')
          .limit(limit)
          .execute();
        return rows.map(({ case_id: id }) => id);
      }),

    recall: (keys, notBefore) =>
      asking(async () => {
        if (keys.length === 0) return [];
        const rows = await db
          .selectFrom('dossiers')
          .select('part')
          .where('key', 'in', keys.map(text))
          .where('at', '>=', new Date(notBefore))
          .execute();
        return rows.map(({ part }) => part);
      }),

    keep: (part) =>
      asking(async () => {
        const values = { part: json(part), at: part.at };
        await sql`delete from dossiers where at < now() - ${keptFor}`.execute(db);
        await db
          .insertInto('dossiers')
          .values({ key: text(part.key), ...values })
          .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
          .execute();
      }),

    noticed: (resourceIds) =>
      asking(async () => {
        if (resourceIds.length === 0) return [];
        const { rows } = await sql<{ id: string }>`
          select distinct named.id from cases, json_array_elements_text(cases.alert->'resourceIds') as named(id)
          where named.id in (${sql.join(resourceIds.map(text))})`.execute(db);
        return rows.map(({ id }) => id);
      }),
  };
}

function enrichmentOf(row: Selectable<Tables['enrichments']>): Enrichment {
  return {
    ...row.state,
    caseId: row.case_id,
    version: row.version,
    tries: row.tries,
    wantedAt: iso(row.wanted_at),
    finishedAt: row.finished_at === null ? undefined : iso(row.finished_at),
  };
}
