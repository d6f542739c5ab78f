/** What comes in beside the webhooks: dead letters, sources and their cursors, subscriptions, findings read again. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `create table dead_letters (
    id text primary key,
    number bigint generated always as identity,
    key text not null unique,
    door text not null,
    came_from text not null,
    reason text not null,
    body text,
    alert_id text references alerts (id),
    at timestamptz not null,
    times integer not null default 1,
    settled_at timestamptz,
    outcome text)`,
  `create index dead_letters_open on dead_letters (number) where settled_at is null`,
  `create table intake_sources (
    name text primary key,
    kind text not null,
    ok boolean not null,
    because text,
    looked_at timestamptz not null,
    since timestamptz not null,
    taken bigint not null default 0,
    cursor text)`,
  `create table subscriptions (
    id text primary key,
    message_id text not null unique,
    topic_arn text not null,
    wish text not null,
    token text not null,
    at timestamptz not null,
    handled_at timestamptz,
    because text)`,
  `create index subscriptions_unhandled on subscriptions (at) where handled_at is null`,
  `create table verifications (dedupe_key text primary key, verification json not null)`,
  // The look at GuardDuty asks for each finding whether it is known.
  `create index if not exists alerts_dedupe_key on alerts (dedupe_key)`,
];

export const intake: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
