/** The earlier cases of findings that an attack sequence contains become part of its case. */
import type { Selectable, Transaction } from 'kysely';
import type { CasesStore } from '../contracts/store.ts';
import { SlackUserId } from '../domain/slack-ids.ts';
import { appendAudit } from './audit.ts';
import { json } from './database.ts';
import type { Tables } from './tables.ts';

type Tx = Transaction<Tables>;
type CaseRow = Selectable<Tables['cases']>;

export function lockedCase(tx: Tx, caseId: string): Promise<CaseRow> {
  return tx.selectFrom('cases').selectAll().where('id', '=', caseId).forUpdate().executeTakeFirstOrThrow();
}

/** Returns the case as it is now, and its closed parts, where one of them was closed to a few: it is closed to them as well. */
export async function absorb(
  tx: Tx,
  caseId: string,
  { join, at }: Parameters<CasesStore['openOrMerge']>[0],
): Promise<{ readonly row: CaseRow; readonly parts: readonly string[] } | undefined> {
  const keys = join?.links.absorbs ?? [];
  if (keys.length === 0) return undefined;
  const earlier = await tx
    .selectFrom('case_links')
    .select('case_id')
    .distinct()
    .where('key', 'in', keys)
    .where('case_id', '!=', caseId)
    .orderBy('case_id')
    .execute();
  const closed: { readonly id: string; readonly few: readonly string[] }[] = [];
  for (const { case_id: part } of earlier) {
    const row = await lockedCase(tx, part);
    // Also one that is part of another sequence by now, and was closed after that.
    if (row.restricted_to !== null) closed.push({ id: part, few: row.restricted_to });
    if (row.merged_into !== null) continue;
    // A digest's line stays a line of it; what has a card says there where it went.
    const admission = row.admission === 'digest' ? ('merged' as const) : row.admission;
    await tx
      .updateTable('cases')
      .set({ merged_into: caseId, admission, version: row.version + 1, last_at: at })
      .where('id', '=', part)
      .execute();
    await tx.updateTable('case_findings').set({ case_id: caseId }).where('case_id', '=', part).execute();
  }
  if (closed.length === 0) return undefined;
  const restricted = whoMayKnow(closed.map(({ few }) => few));
  const parts = closed.map(({ id }) => id);
  await appendAudit(tx, {
    ...{ event: 'case.restricted', actor: 'firebreak', caseId, at, payload: { restricted, parts } },
  });
  const row = await tx
    .updateTable('cases')
    .set({ restricted_to: json(restricted) })
    .where('id', '=', caseId)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { row, parts };
}

/**
 * Those to whom all parts are open. Where there is nobody that Slack could tell (who closed one from a shell is in the list, too), all: a case
 * that nobody hears of is worse.
 */
function whoMayKnow(lists: readonly (readonly string[])[]): readonly string[] {
  const all = [...new Set(lists.flat())].sort();
  const common = all.filter((person) => lists.every((list) => list.includes(person)));
  return common.some((id) => SlackUserId.safeParse(id).success) ? common : all;
}
