/** The first schema: alerts, cases, posts, buttons, investigations, approvals, audit, settings. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Documents are `json`, not `jsonb`: findings come from outside, and jsonb refuses strings with U+0000 or half a
 * surrogate pair, which would turn an alert away.
 */
const statements = [
  `create sequence case_number`,
  `create table alerts (
    id text primary key,
    delivery_key text not null unique,
    dedupe_key text not null,
    alert json not null,
    raw json not null,
    received_at timestamptz not null,
    handled_at timestamptz)`,
  `create index alerts_unhandled on alerts (received_at) where handled_at is null`,
  `create table cases (
    id text primary key,
    dedupe_key text not null unique,
    alert json not null,
    channel text not null,
    message_ts text,
    acknowledged_by text,
    acknowledged_at timestamptz,
    opened_at timestamptz not null)`,
  `create table posts (
    key text primary key,
    channel text not null,
    delivery_id text not null,
    ts text,
    claimed_at timestamptz not null)`,
  `create table buttons (
    id text primary key,
    key text not null unique,
    meaning json not null)`,
  `create table investigations (
    id text primary key,
    name text not null,
    request json not null,
    channel text not null,
    thread_ts text,
    requested_by text not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    case_id text,
    answer json)`,
  `create index investigations_unfinished on investigations (created_at) where finished_at is null`,
  `create table containment_requests (
    id text primary key, request json not null, received_at timestamptz not null, handled_at timestamptz)`,
  `create index containment_requests_unhandled on containment_requests (received_at) where handled_at is null`,
  `create table vote_requests (
    id text primary key, vote json not null, received_at timestamptz not null, handled_at timestamptz)`,
  `create index vote_requests_unhandled on vote_requests (received_at) where handled_at is null`,
  `create table approvals (
    id text primary key,
    number bigint generated always as identity,
    request_id text not null unique,
    case_id text not null,
    state text not null check (state in ('proposed', 'approved', 'applying', 'verified', 'failed', 'partial',
      'rejected', 'withdrawn', 'expired', 'stale')),
    plan json not null,
    plan_hash text not null,
    context json not null,
    requester json not null,
    required integer not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    undo_of text references approvals (id),
    channel text not null,
    thread_ts text,
    after json,
    outcome text,
    sent_at timestamptz,
    watched json,
    shown text)`,
  `create index approvals_state on approvals (state)`,
  `create index approvals_undo on approvals (undo_of) where undo_of is not null`,
  `create table approval_votes (
    approval_id text not null references approvals (id),
    number bigint generated always as identity,
    vote json not null,
    primary key (approval_id, number))`,
  `create table approval_steps (
    approval_id text not null references approvals (id),
    index integer not null,
    step json not null,
    primary key (approval_id, index))`,
  `create table standings (
    approval_id text not null references approvals (id),
    user_id text not null,
    standing json not null,
    primary key (approval_id, user_id))`,
  // Texts and json, not timestamptz and jsonb: what is read back is byte for byte what was hashed.
  `create table audit (
    seq bigint primary key,
    event text not null,
    actor text not null,
    case_id text,
    approval_id text,
    at text not null,
    payload json not null,
    prev_hash text not null unique,
    hash text not null unique)`,
  `create function refuse_audit_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
    end $$`,
  `create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_audit_change()`,
  `alter table audit enable always trigger audit_append_only`,
  `create table settings (key text primary key, value json not null)`,
  `create table seen_keys (key text primary key, at text not null, seen_at timestamptz not null default now())`,
  `create index seen_keys_age on seen_keys (seen_at)`,
  `create table slots (lane text primary key, next_at timestamptz not null)`,
  `create table health (id integer primary key, at timestamptz not null)`,
];

export const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
