/** Answers to what was asked on the host, and clicks counted per person and minute. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table host_answers (id text primary key, answer text not null, at timestamptz not null)`,
  `create table clicks (
    user_id text not null,
    minute timestamptz not null,
    clicks integer not null default 1,
    primary key (user_id, minute))`,
];

export const hostOperations: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
