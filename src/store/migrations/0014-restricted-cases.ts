/** Cases that are closed to a named few. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const restrictedCases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw('alter table cases add column restricted_to json').execute(db);
  },
};
