/** One-time codes: who is enrolled, what was proved, and codes on their way to the executor. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table enrollments (
    user_id text primary key,
    secret text not null,
    enrolled_at timestamptz not null,
    active_at timestamptz not null,
    enrolled_by text not null,
    last_step bigint not null)`,
  `create table proofs (
    approval_id text not null references approvals (id),
    user_id text not null,
    plan_hash text not null,
    at timestamptz not null,
    primary key (approval_id, user_id, plan_hash))`,
  `create table vote_codes (vote_id text primary key references vote_requests (id), code text not null)`,
  `create table vote_refusals (vote_id text primary key references vote_requests (id), because text not null)`,
  `create table code_failures (user_id text not null, at timestamptz not null)`,
  `create index code_failures_person on code_failures (user_id, at)`,
];

export const stepUp: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
