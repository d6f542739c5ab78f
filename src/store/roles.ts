/**
 * What the two roles of the database may do. `firebreak_app` is for web and worker, `firebreak_executor` for the executor; the
 * owner migrates, and is the only one for commands on the host. A web process that somebody has taken over can then ask, and
 * neither read the secrets of the one-time codes, nor forge a proof, nor move an approval to where only the executor may.
 */
import { sql } from 'kysely';
import pg from 'pg';
import { asking, type Database } from './database.ts';

/** Of these web and worker get what follows in the SQL, or nothing: what approves, and what nobody may change or read. */
const approving = [
  ...['enrollments', 'proofs', 'approvals', 'approval_votes', 'approval_steps', 'vote_requests'],
  'containment_requests',
];
const keeping = [
  'vote_codes',
  'vote_refusals',
  'code_failures',
  'audit',
  'firebreak_migration',
  'firebreak_migration_lock',
];
const notForAll = [...approving, ...keeping];
/** Of those, what they do not even see. */
const unseen = ['code_failures', 'firebreak_migration_lock'];

/** Idempotent: run again after each migration. The roles are made without a password. */
export const rolesSql = `do $$
begin
  if not exists (select from pg_roles where rolname = 'firebreak_app') then
    create role firebreak_app login;
  end if;
  if not exists (select from pg_roles where rolname = 'firebreak_executor') then
    create role firebreak_executor login;
  end if;
end $$;

revoke create on schema public from public;
grant usage on schema public to firebreak_app, firebreak_executor;

-- web and worker: everything, but what follows.
grant select, insert, update, delete on all tables in schema public to firebreak_app;
grant usage, select on all sequences in schema public to firebreak_app;
revoke all on ${approving.join(', ')},
  ${keeping.join(', ')} from firebreak_app;
grant select on proofs, approval_steps, vote_refusals, firebreak_migration to firebreak_app;
grant select (user_id, enrolled_at, active_at, enrolled_by) on enrollments to firebreak_app;
grant select, insert on approvals, approval_votes, vote_requests, containment_requests, audit to firebreak_app;
grant update (state, outcome, watched, shown) on approvals to firebreak_app;
grant update (handled_at) on vote_requests, containment_requests to firebreak_app;
grant insert, select (vote_id) on vote_codes to firebreak_app;

-- executor: nothing, but what follows. No buttons, no posts, no alerts; of cases what the rules of approval ask for.
revoke all on all tables in schema public from firebreak_executor;
grant select on approvals, approval_votes, approval_steps, proofs, standings, vote_requests, vote_refusals, settings, audit,
  enrollments, vote_codes, code_failures, firebreak_migration to firebreak_executor;
grant select (id, alert, restricted_to) on cases to firebreak_executor;
grant select (request_id, strike_id, index) on strike_steps to firebreak_executor;
grant update (state, outcome, after, sent_at) on approvals to firebreak_executor;
grant insert, update on approval_steps, proofs, vote_refusals to firebreak_executor;
grant update (last_step) on enrollments to firebreak_executor;
grant delete on vote_codes to firebreak_executor;
grant insert on code_failures, audit to firebreak_executor;

-- Which role may move an approval where. The owner is not held up: on one machine all roles are one.
create or replace function guard_approval_state() returns trigger language plpgsql as $$
begin
  -- Break-glass waits from here on: a plan is never older than it is.
  if current_user = 'firebreak_app' and tg_op = 'INSERT' then
    new.created_at := greatest(new.created_at, now() - interval '1 minute');
  end if;
  if current_user = 'firebreak_app' and (
    case when tg_op = 'INSERT' then new.state = 'proposed'
      else new.state = old.state
        or (old.state = 'proposed' and new.state in ('approved', 'rejected', 'withdrawn', 'expired', 'stale'))
        or (old.state = 'approved' and new.state in ('withdrawn', 'expired', 'stale'))
    end) is not true then
    raise exception 'web and worker may not move an approval to %', new.state using errcode = 'insufficient_privilege';
  end if;
  if current_user = 'firebreak_executor' and (
    case when tg_op = 'INSERT' then false
      else new.state = old.state
        or (old.state = 'approved' and new.state in ('applying', 'expired', 'stale', 'failed'))
        or (old.state = 'applying' and new.state in ('verified', 'failed', 'partial'))
    end) is not true then
    raise exception 'the executor may not move an approval to %', new.state using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create or replace trigger approval_state_guard before insert or update on approvals
  for each row execute function guard_approval_state();

-- The queue, where it is in this database and not on Redis.
do $$
begin
  if exists (select from pg_namespace where nspname = 'bullmq') then
    grant usage on schema bullmq to firebreak_app, firebreak_executor;
    grant select, insert, update, delete on all tables in schema bullmq to firebreak_app, firebreak_executor;
    grant usage, select on all sequences in schema bullmq to firebreak_app, firebreak_executor;
    -- It makes a sequence for a queue at its first job, which only the owner may.
    alter function bullmq.next_job_id(text) security definer;
    revoke insert, update, delete on bullmq.migration from firebreak_app, firebreak_executor;
  end if;
end $$;
`;

/**
 * Applies the rights, as the owner. `create`: makes the roles where they are not there. False where there are none to give rights to.
 * Throws UpstreamError.
 */
export function applyRoles(connectionString: string, how: { readonly create: boolean }): Promise<boolean> {
  return asking(() => apply(connectionString, how));
}

/**
 * Tables that the asking role may not use as web and worker must: after a restore without rights, say, or where a process that runs
 * as the owner has made new ones.
 */
export async function lackingRights(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class, (
      select relowner as owner, relnamespace as space from pg_class where oid = to_regclass('firebreak_migration')) own
    where relowner = own.owner and relnamespace = own.space and relkind = 'r' and not (relname = any(${unseen})) and not (
      case when relname = any(${notForAll}) then has_any_column_privilege(oid, 'select')
        else has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
          and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete')
      end)
    order by relname`.execute(db);
  return rows.map(({ name }) => name);
}

async function apply(connectionString: string, { create }: { readonly create: boolean }): Promise<boolean> {
  const client = new pg.Client({ connectionString, application_name: 'firebreak migrate' });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `select from pg_roles where rolname in ('firebreak_app', 'firebreak_executor')`,
    );
    if (!create && rowCount !== 2) return false;
    await client.query(`begin; ${rolesSql} commit;`);
    return true;
  } finally {
    await client.end();
  }
}
