import { type Selectable, sql } from 'kysely';
import type { NoiseStore, Snooze } from '../contracts/noise.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, indexed, iso, json, optionalText, text } from './database.ts';
import type { Tables } from './tables.ts';

type Snoozes = Pick<NoiseStore, 'addSnooze' | 'endSnooze' | 'snoozes' | 'knownBefore'>;

/** Rules that mute, and what an account had before. */
export function snoozesStore(db: Database): Snoozes {
  return {
    addSnooze: (input) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const row = await tx
            .insertInto('snoozes')
            .values({
              id: sql<string>`'S-' || nextval('snooze_number')`,
              rule: json(input.rule),
              reason: text(input.reason),
              by_user: text(input.by),
              at: input.at,
              until: input.until,
              max_rank: input.maxRank,
              case_id: optionalText(input.caseId),
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          const { rule, reason, until, caseId } = input;
          const payload = { snooze: row.id, rule, reason, until };
          await appendAudit(tx, { event: 'snooze', actor: input.by, caseId, at: input.at, payload });
          return snoozeOfRow(row);
        }),
      ),

    endSnooze: (id, by, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const ended = await tx
            .updateTable('snoozes')
            .set({ ended_at: at })
            .where('id', '=', text(id))
            .where('ended_at', 'is', null)
            .where('until', '>', new Date(at))
            .returning('id')
            .executeTakeFirst();
          if (ended === undefined) return false;
          await appendAudit(tx, { event: 'snooze.ended', actor: by, at, payload: { snooze: id } });
          return true;
        }),
      ),

    snoozes: (at) =>
      asking(async () => {
        const rows = await db
          .selectFrom('snoozes')
          .selectAll()
          .where('ended_at', 'is', null)
          .where('until', '>', new Date(at))
          .orderBy('until')
          .execute();
        return rows.map(snoozeOfRow);
      }),

    knownBefore: (caseId, { accountId, resource, tactic, sample }) =>
      asking(async () => {
        const opened = db.selectFrom('cases').select('opened_at').where('id', '=', text(caseId));
        const before = (column: 'resource' | 'tactic', value: string) =>
          db
            .selectFrom('case_findings')
            .select('dedupe_key')
            .where('account_id', '=', indexed(accountId))
            .where(column, '=', indexed(value))
            .where('case_id', '!=', text(caseId))
            .where('at', '<=', opened)
            .$if(!sample, (query) => query.where(sql<boolean>`alert->>'sample' is distinct from 'true'`))
            .limit(1)
            .executeTakeFirst();
        return {
          resource: resource !== undefined && (await before('resource', resource)) !== undefined,
          tactic: (await before('tactic', tactic)) !== undefined,
        };
      }),
  };
}

function snoozeOfRow(row: Selectable<Tables['snoozes']>): Snooze {
  return {
    id: row.id,
    rule: row.rule,
    reason: row.reason,
    by: row.by_user,
    at: iso(row.at),
    until: iso(row.until),
    maxRank: row.max_rank,
    ...(row.case_id === null ? {} : { caseId: row.case_id }),
  };
}
