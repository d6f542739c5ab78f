/** The store on PostgreSQL, embedded or external: the same schema and the same code. */
import { sql } from 'kysely';
import { SetupError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { SettingsStore, Store } from '../contracts/store.ts';
import { alertsStore } from './alerts.ts';
import { anchorsStore } from './anchors.ts';
import { approvalsStore } from './approvals.ts';
import { athenaLedger } from './athena-ledger.ts';
import { appendAudit, auditStore } from './audit.ts';
import { casesStore } from './cases.ts';
import { asking, connect, type Database, json, text } from './database.ts';
import { deadLettersStore } from './dead-letters.ts';
import { enrichmentsStore } from './enrichments.ts';
import { escalationsStore } from './escalations.ts';
import { hostStore } from './host.ts';
import { intakeStore, subscriptionsStore } from './intake.ts';
import { investigationsStore } from './investigations.ts';
import { migrate, refuseOlder } from './migrations.ts';
import { noiseStore } from './noise.ts';
import { buttonsStore, postsStore } from './posts.ts';
import { lackingRights } from './roles.ts';
import { rulesStore } from './rules.ts';
import { stepUpStore } from './step-up.ts';
import { streamStore } from './stream.ts';
import { aliveLooksStore, noticesStore, strikesStore } from './strikes.ts';
import { openTurns } from './turns.ts';

/**
 * Connects and brings the schema up to date. Throws UpstreamError `database` where the server cannot be reached, and
 * SetupError for a database that a newer Firebreak made or that is not in UTF-8.
 */
export async function openStore(input: {
  readonly connectionString: string;
  readonly log: Log;
  readonly applicationName: string;
  /** An older database is refused instead of being brought up to date. An empty one is filled. */
  readonly onlyCurrent?: boolean;
}): Promise<Store> {
  const { db, close } = connect(input.connectionString, input.applicationName, input.log);
  try {
    await asking(async () => {
      await refuseOtherEncodings(db);
      if (input.onlyCurrent === true) await refuseOlder(db);
      await migrate(db);
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const turns = openTurns(input.connectionString, input.applicationName, input.log);
  return {
    alerts: alertsStore(db),
    cases: casesStore(db),
    posts: postsStore(db),
    buttons: buttonsStore(db),
    investigations: investigationsStore(db),
    approvals: approvalsStore(db),
    enrichments: enrichmentsStore(db),
    audit: auditStore(db),
    anchors: anchorsStore(db),
    settings: settingsStore(db),
    athena: athenaLedger(db),
    stream: streamStore(db),
    rules: rulesStore(db),
    noise: noiseStore(db),
    escalations: escalationsStore(db),
    intake: intakeStore(db),
    deadLetters: deadLettersStore(db),
    subscriptions: subscriptionsStore(db),
    stepUp: stepUpStore(db),
    strikes: strikesStore(db),
    notices: noticesStore(db),
    aliveLooks: aliveLooksStore(db),
    host: hostStore(db),
    firstTime: firstTimes(db),
    turn: turns.take,
    reserveSlot: (lane, everyMs) => asking(() => reserveSlot(db, lane, everyMs)),
    check: () =>
      asking(async () => {
        await sql`insert into health (id, at) values (1, now()) on conflict (id) do update set at = now()`.execute(db);
      }),
    lackingRights: () => asking(() => lackingRights(db)),
    async close() {
      await turns.close();
      await close();
    },
  };
}

/** Anything else cannot hold what findings bring. */
async function refuseOtherEncodings(db: Database): Promise<void> {
  const { rows } = await sql<{ encoding: string }>`select current_setting('server_encoding') as encoding`.execute(db);
  if (rows[0]?.encoding === 'UTF8') return;
  throw new SetupError([
    `The database of DATABASE_URL has the encoding ${rows[0]?.encoding}; Firebreak needs UTF8. Make one with: CREATE DATABASE firebreak ENCODING 'UTF8' TEMPLATE template0`,
  ]);
}

function settingsStore(db: Database): SettingsStore {
  return {
    frozen: () =>
      asking(async () => {
        const row = await db.selectFrom('settings').select('value').where('key', '=', 'freeze').executeTakeFirst();
        return (row?.value as Awaited<ReturnType<SettingsStore['frozen']>> | undefined) ?? { frozen: false };
      }),

    setFrozen: (frozen, by, reason, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const value = json({ frozen, by, reason, at });
          await tx
            .insertInto('settings')
            .values({ key: 'freeze', value })
            .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
            .execute();
          await appendAudit(tx, { event: 'freeze', actor: by, at, payload: { frozen, reason } });
        }),
      ),
  };
}

/** Keys are forgotten after an hour, by the database's clock; each process cleans up every ten minutes of use. */
function firstTimes(db: Database): Store['firstTime'] {
  let cleanAt = 0;
  return (key, at) =>
    asking(async () => {
      if (Date.now() >= cleanAt) {
        cleanAt = Date.now() + 600_000;
        await sql`delete from seen_keys where seen_at < now() - interval '1 hour'`.execute(db);
      }
      const seen = await db
        .insertInto('seen_keys')
        .values({ key: text(key), at: text(at) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .returning('key')
        .executeTakeFirst();
      return seen !== undefined;
    });
}

/**
 * One statement, one clock (the database's): the row lock of the upsert orders the processes, and clock_timestamp() is
 * read after the lock was waited for.
 */
async function reserveSlot(db: Database, lane: string, everyMs: number): Promise<number> {
  const every = sql`make_interval(secs => ${everyMs / 1_000}::double precision)`;
  const { rows } = await sql<{ wait_ms: number }>`
    insert into slots as slot (lane, next_at) values (${text(lane)}, clock_timestamp() + ${every})
    on conflict (lane) do update set next_at = greatest(slot.next_at, clock_timestamp()) + ${every}
    returning (extract(epoch from next_at - ${every} - clock_timestamp()) * 1000)::double precision as wait_ms
  `.execute(db);
  return Math.max(0, Math.ceil(rows[0]?.wait_ms ?? 0));
}
