/** Rules that people switched off, and exceptions that they made. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table disabled_rules (
    rule text primary key,
    number bigint generated always as identity,
    reason text not null,
    set_by text not null,
    at timestamptz not null)`,
  `create table rule_exceptions (
    id text primary key,
    number bigint generated always as identity,
    exception json not null,
    set_by text not null,
    at timestamptz not null)`,
];

export const ruleSettings: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
