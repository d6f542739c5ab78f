import { type Selectable, sql, type Transaction } from 'kysely';
import type { AuditEntry, AuditRow, AuditStore } from '../contracts/store.ts';
import { chainAuditEntry, genesisHash } from '../domain/audit-chain.ts';
import { asking, type Database, json } from './database.ts';
import type { Tables } from './tables.ts';

/** Advisory lock on the head of the chain. Always the last lock that a transaction takes, so nothing waits in a circle. */
const headLock = 0x4642_4155;

/** From here on until its end no other transaction changes anything that is audited. */
export async function lockAudit(tx: Transaction<Tables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(headLock)})`.execute(tx);
}

/** Appends inside the caller's transaction: the entry is there exactly when the change is. */
export async function appendAudit(tx: Transaction<Tables>, entry: AuditEntry): Promise<void> {
  await lockAudit(tx);
  const head = await tx.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
  const row = chainAuditEntry(entry, Number(head?.seq ?? 0) + 1, head?.hash ?? genesisHash);
  await tx
    .insertInto('audit')
    .values({
      seq: row.seq,
      event: row.event,
      actor: row.actor,
      case_id: row.caseId ?? null,
      approval_id: row.approvalId ?? null,
      at: row.at,
      payload: json(row.payload),
      prev_hash: row.prevHash,
      hash: row.hash,
    })
    .execute();
}

export function auditStore(db: Database): AuditStore {
  return {
    append: (entry) => asking(() => db.transaction().execute((tx) => appendAudit(tx, entry))),

    head: () =>
      asking(async () => {
        const head = db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1);
        const row = await head.executeTakeFirst();
        return row === undefined ? undefined : { seq: Number(row.seq), hash: row.hash };
      }),

    read: (after, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('audit')
          .selectAll()
          .where('seq', '>', String(after))
          .orderBy('seq')
          .limit(limit)
          .execute();
        return rows.map(rowOf);
      }),
  };
}

function rowOf(row: Selectable<Tables['audit']>): AuditRow {
  return {
    seq: Number(row.seq),
    at: row.at,
    event: row.event,
    actor: row.actor,
    ...(row.case_id === null ? {} : { caseId: row.case_id }),
    ...(row.approval_id === null ? {} : { approvalId: row.approval_id }),
    payload: row.payload,
    prevHash: row.prev_hash,
    hash: row.hash,
  };
}
