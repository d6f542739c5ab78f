/** Detection in the stream: records that wait, what correlations counted, bursts, stories, shards of the lake looked at. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  // Handled rows stay for a while without their record: their key tells a repeat.
  `create table stream_records (
    event_key text primary key,
    number bigint generated always as identity,
    record json not null,
    received_at timestamptz not null,
    handled_at timestamptz)`,
  `create index stream_records_waiting on stream_records (number) where handled_at is null`,
  `create index stream_records_handled on stream_records (handled_at) where handled_at is not null`,
  `create table stream_entries (
    correlation text not null,
    group_key text not null,
    event_key text not null,
    rule integer not null,
    event_id text not null,
    at bigint not null,
    "values" json not null,
    deed json not null,
    stored_at timestamptz not null default now(),
    primary key (correlation, group_key, event_key, rule))`,
  `create index stream_entries_at on stream_entries (correlation, group_key, at)`,
  `create index stream_entries_stored on stream_entries (stored_at)`,
  `create table stream_bursts (
    id text primary key,
    correlation text not null,
    group_key text not null,
    last bigint not null,
    burst json not null)`,
  `create index stream_bursts_group on stream_bursts (correlation, group_key, last)`,
  `create table stream_stories (
    id text primary key,
    account_id text not null,
    principal text not null,
    last bigint not null,
    story json not null)`,
  `create index stream_stories_who on stream_stories (account_id, principal, last)`,
  `create table stream_shards (name text primary key, at timestamptz not null)`,
] as const;

export const detection: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
