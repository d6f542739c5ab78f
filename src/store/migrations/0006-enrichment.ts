/** What is looked up for cards: the state per case, and the answers per subject. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table enrichments (
    case_id text primary key,
    version text not null,
    wanted_at timestamptz not null,
    finished_at timestamptz,
    tries integer not null default 0,
    state json not null)`,
  `create index enrichments_unfinished on enrichments (wanted_at) where finished_at is null`,
  `create table dossiers (key text primary key, part json not null, at timestamptz not null)`,
];

export const enrichment: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
