/** Cases of several findings, storms as digests, snoozes, verdicts, escalation. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const statements = [
  `alter table cases
    add column admission text check (admission in ('card', 'digest', 'snoozed', 'merged')),
    add column admitted_at timestamptz,
    add column merged_into text references cases (id),
    add column last_at timestamptz,
    add column version integer not null default 1,
    add column shown_version integer not null default 0,
    add column card_from integer not null default 1,
    add column round integer not null default 0,
    add column snooze_id text,
    add column verdict text,
    add column verdict_by text,
    add column verdict_at timestamptz`,
  // What was there has its card, or is about to get one by the job that is under way.
  `update cases set last_at = opened_at, shown_version = case when message_ts is null then 0 else 1 end,
    admission = case when message_ts is null then null else 'card' end,
    admitted_at = case when message_ts is null then null else opened_at end`,
  `create index cases_admitted on cases (channel, admitted_at)`,
  `create index cases_opened on cases (opened_at)`,
  `create index cases_behind on cases (last_at) where admission = 'card' and shown_version < version`,
  `create table case_findings (
    dedupe_key text primary key,
    case_id text not null references cases (id),
    alert json not null,
    account_id text not null,
    resource text,
    tactic text not null,
    at timestamptz not null)`,
  `create index case_findings_case on case_findings (case_id)`,
  `create index case_findings_resource on case_findings (account_id, resource, at)`,
  `create index case_findings_tactic on case_findings (account_id, tactic, at)`,
  `insert into case_findings (dedupe_key, case_id, alert, account_id, resource, tactic, at)
    select dedupe_key, id, alert, alert->>'accountId', null, split_part(alert->>'type', ':', 1), opened_at
    from cases where dedupe_key not like 'hand-%'`,
  `create table case_links (
    key text not null,
    case_id text not null references cases (id),
    at timestamptz not null,
    primary key (key, case_id))`,
  `create index case_links_newest on case_links (key, at desc)`,
  `create table case_entries (
    case_id text not null references cases (id),
    number integer not null,
    alert_id text not null unique,
    at timestamptz not null,
    said json,
    own_channel text,
    delivered boolean not null,
    primary key (case_id, number))`,
  `create index case_entries_waiting on case_entries (case_id, number) where not delivered`,
  `create table noise_seen (
    channel text not null,
    key text not null,
    at timestamptz not null,
    times integer not null,
    primary key (channel, key))`,
  `create table digests (
    id text primary key,
    channel text not null,
    opened_at timestamptz not null,
    shown integer not null default 0,
    total integer not null default 0)`,
  `create index digests_newest on digests (channel, opened_at desc)`,
  `create index digests_behind on digests (opened_at) where shown < total`,
  `create table digest_lines (
    digest_id text not null references digests (id),
    number integer not null,
    case_id text not null unique references cases (id),
    group_words text not null,
    line text not null,
    primary key (digest_id, number))`,
  `create sequence snooze_number`,
  `create table snoozes (
    id text primary key,
    rule json not null,
    reason text not null,
    by_user text not null,
    at timestamptz not null,
    until timestamptz not null,
    max_rank integer not null,
    case_id text,
    ended_at timestamptz)`,
  `create index snoozes_holding on snoozes (until) where ended_at is null`,
  `create table escalations (
    case_id text not null references cases (id),
    round integer not null,
    level integer not null,
    due_at timestamptz not null,
    settled_at timestamptz,
    outcome text,
    primary key (case_id, round, level))`,
  `create index escalations_open on escalations (due_at) where settled_at is null`,
];

export const noise: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
