/** An alert goes into its case, or opens one: one transaction, whatever races with it. */
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Alert } from '../contracts/alert.ts';
import type { Told } from '../contracts/noise.ts';
import type { CasesStore } from '../contracts/store.ts';
import { mayJoin, resourceKeyOf, tacticOf } from '../domain/activity.ts';
import { mergedAlert } from '../domain/alert-merge.ts';
import { tookIn } from '../domain/restricted-case.ts';
import { severityRank } from '../domain/severity.ts';
import { absorb, lockedCase } from './absorb-cases.ts';
import { appendAudit } from './audit.ts';
import { caseOf, nextCaseId } from './case-rows.ts';
import { CallerError, indexed, iso, json, optionalText, text, withoutWaiting } from './database.ts';
import { takeCallsAlong } from './escalations.ts';
import type { Tables } from './tables.ts';

type Tx = Transaction<Tables>;
type Input = Parameters<CasesStore['openOrMerge']>[0];
type Output = Awaited<ReturnType<CasesStore['openOrMerge']>>;
type CaseRow = Selectable<Tables['cases']>;

/** First key of the locks on links. Taken before row locks, which are taken before the audit's: nothing waits in a circle. */
const linkSpace = 0x464c;
const mostCandidates = 5;
const mostMembers = 100;

/** What the case that an alert goes into was before, or that it is new. */
interface Found {
  readonly row: CaseRow;
  readonly previous: Alert | undefined;
  readonly opened: boolean;
  /** Closed cases that it took in. */
  readonly parts?: readonly string[];
}

export async function openOrMerge(tx: Tx, input: Input): Promise<Output> {
  const keys = [...new Set(input.join?.links.keys ?? [])].sort();
  // Two findings of one activity at the same moment must not open two cases.
  const locks = keys.map((key) => sql`pg_advisory_xact_lock(${sql.lit(linkSpace)}, hashtext(${key}))`);
  // An alert that is not marked as handled comes again.
  const waits = input.alertId === undefined ? [] : [withoutWaiting];
  if (locks.length + waits.length > 0) await sql`select ${sql.join([...waits, ...locks])}`.execute(tx);
  const known = await knownOf(tx, input, keys);
  const again = known.done ? await doneBefore(tx, input) : undefined;
  if (again !== undefined) return again;
  const found =
    (known.finding ? await ofFinding(tx, input) : undefined) ??
    (known.link ? await ofLinks(tx, input, keys) : undefined) ??
    (await opened(tx, input));
  await remember(tx, found.row.id, keys, input.at);
  const closed = found.opened ? await absorb(tx, found.row.id, input) : undefined;
  const merged = await merge(tx, { ...found, ...closed }, input);
  if (found.opened) {
    const { type, severity, accountId, region, findingId } = input.alert;
    const payload = { type, severity, accountId, region, findingId, source: input.alert.source };
    await appendAudit(tx, { event: 'case.opened', actor: 'firebreak', caseId: found.row.id, at: input.at, payload });
  }
  return merged;
}

async function doneBefore(tx: Tx, { alertId }: Input): Promise<Output | undefined> {
  if (alertId === undefined) return undefined;
  const entry = tx.selectFrom('case_entries').select('case_id').where('alert_id', '=', text(alertId));
  const row = await tx.selectFrom('cases').selectAll().where('id', '=', entry).executeTakeFirst();
  return row === undefined ? undefined : { case: caseOf(row), previous: undefined, again: true };
}

/** What of it is there, in one question: most alerts of a storm are new in every respect. */
async function knownOf(tx: Tx, { alert, alertId, join }: Input, keys: readonly string[]) {
  const entry =
    alertId === undefined ? sql`false` : sql`exists (select from case_entries where alert_id = ${text(alertId)})`;
  const link =
    join === undefined || keys.length === 0
      ? sql`false`
      : sql`exists (select from case_links where key in (${sql.join(keys)}) and at >= ${join.since}::timestamptz)`;
  const { rows } = await sql<{ done: boolean; finding: boolean; link: boolean }>`select ${entry} as done,
    exists (select from case_findings where dedupe_key = ${text(alert.dedupeKey)}) as finding, ${link} as link`.execute(
    tx,
  );
  return rows[0] ?? { done: true, finding: true, link: true };
}

async function ofFinding(tx: Tx, { alert }: Input): Promise<Found | undefined> {
  const find = () =>
    tx.selectFrom('case_findings').selectAll().where('dedupe_key', '=', text(alert.dedupeKey)).executeTakeFirst();
  const seen = await find();
  if (seen === undefined) return undefined;
  const row = await lockedCase(tx, seen.case_id);
  // Read again under the lock: it may have gone into another case, or have a newer version.
  const now = (await find()) ?? seen;
  const current = now.case_id === row.id ? row : await lockedCase(tx, now.case_id);
  return { row: current, previous: now.alert, opened: false };
}

async function ofLinks(tx: Tx, input: Input, keys: readonly string[]): Promise<Found | undefined> {
  const { alert, join } = input;
  if (join === undefined || keys.length === 0) return undefined;
  const candidates = await tx
    .selectFrom('case_links')
    .select(['case_id', (of) => of.fn.max('at').as('newest')])
    .where('key', 'in', keys)
    .where('at', '>=', new Date(join.since))
    .groupBy('case_id')
    .orderBy('newest', 'desc')
    .limit(mostCandidates)
    .execute();
  for (const { case_id: caseId } of candidates) {
    const row = await lockedCase(tx, caseId);
    if (row.merged_into !== null || row.verdict !== null) continue;
    if (!mayJoin(alert, await membersOf(tx, caseId))) continue;
    if (await addMember(tx, caseId, input)) return { row, previous: undefined, opened: false };
    return ofFinding(tx, input);
  }
  return undefined;
}

async function opened(tx: Tx, input: Input): Promise<Found> {
  const { alert, channel, at } = input;
  const key = text(alert.dedupeKey);
  const row = await tx
    .with('fresh', (the) =>
      the
        .insertInto('cases')
        .values({
          id: nextCaseId,
          dedupe_key: key,
          alert: json(alert),
          channel: text(channel),
          opened_at: at,
          last_at: at,
        })
        .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
        .returningAll(),
    )
    .with('member', (the) =>
      the
        .insertInto('case_findings')
        .columns(['dedupe_key', 'case_id', 'alert', 'account_id', 'resource', 'tactic', 'at'])
        .expression((of) =>
          of
            .selectFrom('fresh')
            .select([
              sql<string>`${key}`.as('dedupe_key'),
              'fresh.id',
              'fresh.alert',
              sql<string>`${indexed(alert.accountId)}`.as('account_id'),
              sql<string | null>`${resourceOf(alert)}::text`.as('resource'),
              sql<string>`${indexed(tacticOf(alert))}`.as('tactic'),
              'fresh.opened_at',
            ]),
        )
        .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
        .returning('case_id'),
    )
    .selectFrom('fresh')
    .innerJoin('member', 'member.case_id', 'fresh.id')
    .selectAll('fresh')
    .executeTakeFirst();
  if (row !== undefined) return { row, previous: undefined, opened: true };
  // Another delivery of the same finding won the race and has committed.
  const other = await ofFinding(tx, input);
  if (other === undefined) throw new Error('a case vanished while it was locked');
  return other;
}

function resourceOf(alert: Alert): string | null {
  const key = resourceKeyOf(alert);
  return key === undefined ? null : indexed(key);
}

async function addMember(tx: Tx, caseId: string, { alert, at }: Input): Promise<boolean> {
  const added = await tx
    .insertInto('case_findings')
    .values({
      dedupe_key: text(alert.dedupeKey),
      case_id: caseId,
      alert: json(alert),
      account_id: indexed(alert.accountId),
      resource: resourceOf(alert),
      tactic: indexed(tacticOf(alert)),
      at,
    })
    .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
    .returning('case_id')
    .executeTakeFirst();
  return added !== undefined;
}

async function membersOf(tx: Tx, caseId: string): Promise<readonly Alert[]> {
  const rows = await tx
    .selectFrom('case_findings')
    .select('alert')
    .where('case_id', '=', caseId)
    .orderBy('at')
    .limit(mostMembers)
    .execute();
  return rows.map(({ alert }) => alert);
}

async function remember(tx: Tx, caseId: string, keys: readonly string[], at: string): Promise<void> {
  if (keys.length === 0) return;
  await tx
    .insertInto('case_links')
    .values(keys.map((key) => ({ key, case_id: caseId, at })))
    .onConflict((conflict) =>
      conflict.columns(['key', 'case_id']).doUpdateSet((update) => ({ at: update.ref('excluded.at') })),
    )
    .execute();
}

/** The newest version of the finding, the worst finding on the card, and what the thread shall say. */
async function merge(tx: Tx, found: Found, input: Input): Promise<Output> {
  const { alert, alertId, at, tell } = input;
  const { row, previous } = found;
  const held = previous === undefined ? alert : mergedAlert(previous, alert);
  const isNews = held !== previous;
  let told: Told | undefined;
  if (!found.opened && tell !== undefined) {
    const all = await membersOf(tx, row.id);
    // Just added, so that nobody else adds it: it is not news to itself.
    const members = previous === undefined ? all.filter((one) => one.dedupeKey !== alert.dedupeKey) : all;
    try {
      told = tell({ case: caseOf(row), previous, members, lastAt: iso(row.last_at ?? row.opened_at) });
    } catch (thrown) {
      throw new CallerError(thrown);
    }
  }
  if (isNews && previous !== undefined) {
    await tx
      .updateTable('case_findings')
      .set({ alert: json(held), at })
      .where('dedupe_key', '=', text(alert.dedupeKey))
      .execute();
  }
  let current = row;
  if (isNews && !found.opened) {
    const leads =
      alert.dedupeKey === row.alert.dedupeKey || severityRank(alert.severity) > severityRank(row.alert.severity);
    const recurs = told?.recurrence === true;
    current = await tx
      .updateTable('cases')
      .set({
        ...(leads ? { alert: json(held) } : {}),
        // Who looked at it then does not look at it now.
        ...(recurs ? { round: row.round + 1, acknowledged_by: null, acknowledged_at: null } : {}),
        ...(told?.outgrown === true ? { verdict: null, verdict_by: null, verdict_at: null } : {}),
        version: row.version + 1,
        last_at: at,
      })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    if (recurs && row.acknowledged_by === null && row.verdict === null) await takeCallsAlong(tx, row.id, row.round);
  }
  // The card of a case that is closed from its first moment says nothing: the few are told.
  const said = told?.said ?? (found.parts && tookIn(found.parts));
  if (alertId !== undefined) {
    await tx
      .insertInto('case_entries')
      .values({
        case_id: row.id,
        number: sql<number>`(select coalesce(max(number), 0) + 1 from case_entries where case_id = ${row.id})`,
        alert_id: text(alertId),
        at,
        said: said === undefined ? null : json(said),
        own_channel: optionalText(told?.ownChannel),
        delivered: said === undefined,
      })
      .execute();
  }
  return { case: caseOf(current), previous, ...(told === undefined ? {} : { told }) };
}
