/** What Athena has scanned, so that a day and a case have a limit. */
import type { Migration } from 'kysely/migration';

export const athenaQueries: Migration = {
  async up(db) {
    await db.schema
      .createTable('athena_queries')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('case_id', 'text')
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('at', 'timestamptz', (column) => column.notNull())
      .addColumn('settled', 'boolean', (column) => column.notNull().defaultTo(false))
      .execute();
    await db.schema.createIndex('athena_queries_at').on('athena_queries').column('at').execute();
    await db.schema.createIndex('athena_queries_case').on('athena_queries').column('case_id').execute();
  },
};
