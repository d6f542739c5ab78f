/** Rows of the table of cases as values. */
import { type Selectable, sql } from 'kysely';
import type { Case } from '../contracts/store.ts';
import { iso } from './database.ts';
import type { Tables } from './tables.ts';

export const nextCaseId = sql<string>`'IR-' || nextval('case_number')`;

export function caseOf(row: Selectable<Tables['cases']>): Case {
  return {
    id: row.id,
    dedupeKey: row.dedupe_key,
    alert: row.alert,
    channel: row.channel,
    messageTs: row.message_ts ?? undefined,
    acknowledgedBy: row.acknowledged_by ?? undefined,
    acknowledgedAt: row.acknowledged_at === null ? undefined : iso(row.acknowledged_at),
    openedAt: iso(row.opened_at),
    admission: row.admission ?? undefined,
    mergedInto: row.merged_into ?? undefined,
    version: row.version,
    shownVersion: row.shown_version,
    round: row.round,
    cardFrom: row.card_from,
    ...(row.restricted_to === null ? {} : { restrictedTo: row.restricted_to }),
    falsePositiveBy: row.verdict === 'false-positive' ? (row.verdict_by ?? undefined) : undefined,
  };
}
