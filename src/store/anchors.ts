import type { AnchorState, AnchorsStore } from '../contracts/audit-anchor.ts';
import { asking, type Database, json } from './database.ts';

const key = 'audit-anchor';

export function anchorsStore(db: Database): AnchorsStore {
  return {
    state: () =>
      asking(async () => {
        const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
        return row?.value as AnchorState | undefined;
      }),

    note: (state) =>
      asking(async () => {
        const value = json(state);
        await db
          .insertInto('settings')
          .values({ key, value })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
          .execute();
      }),
  };
}
