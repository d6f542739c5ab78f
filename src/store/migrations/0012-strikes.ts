/** Plans for a whole case, who was told of what waits, and what was last found alive. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table strikes (
    id text primary key,
    number bigint generated always as identity,
    request json not null,
    received_at timestamptz not null,
    planned_at timestamptz,
    notes json not null)`,
  `create table strike_steps (
    strike_id text not null references strikes (id),
    index integer not null,
    request_id text not null unique,
    step json not null,
    primary key (strike_id, index))`,
  `create table approval_notices (
    approval_id text not null,
    stage text not null,
    told json not null,
    at timestamptz not null,
    primary key (approval_id, stage))`,
  `create table alive_looks (
    approval_id text primary key,
    look json not null,
    over boolean not null,
    at timestamptz not null)`,
  // Nobody is told today of what ended before there were notices.
  `insert into approval_notices (approval_id, stage, told, at)
    select id, 'ended', '[]', now() from approvals where state not in ('proposed', 'approved', 'applying')`,
];

export const strikes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
