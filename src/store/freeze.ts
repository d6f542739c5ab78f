/** The freeze as a transaction that is about to begin a write must see it. */
import type { Transaction } from 'kysely';
import { lockAudit } from './audit.ts';
import type { Tables } from './tables.ts';

/** A freeze is stored under the audit's lock: none can come between this look and the end of the transaction. */
export async function isFrozen(tx: Transaction<Tables>): Promise<boolean> {
  await lockAudit(tx);
  const row = await tx.selectFrom('settings').select('value').where('key', '=', 'freeze').executeTakeFirst();
  return (row?.value as { frozen?: boolean } | undefined)?.frozen === true;
}
