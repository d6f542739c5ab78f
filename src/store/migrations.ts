/** Brings the database to the schema of this version. Several processes may start at once. */
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { SetupError } from '../contracts/errors.ts';
import { migrations } from './migrations/index.ts';

const ledger = 'firebreak_migration';
/** Key of the advisory lock, shared by all versions of Firebreak. */
const lockKey = 0x4642_4d49;

/** Throws SetupError for a database that a newer Firebreak has migrated; database errors pass through. */
export async function migrate<Schema>(db: Kysely<Schema>): Promise<void> {
  if (await isCurrent(db)) return;
  await db.connection().execute(async (session) => {
    // Kysely's own lock is taken after its ledger is made, and two processes making it at once would collide.
    await sql`select pg_advisory_lock(${sql.lit(lockKey)})`.execute(session);
    try {
      if (await isCurrent(session)) return;
      const migrator = new Migrator({
        db: session,
        provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
        migrationTableName: ledger,
        migrationLockTableName: `${ledger}_lock`,
      });
      const { error } = await migrator.migrateToLatest();
      if ((error as { code?: unknown } | undefined)?.code === insufficientPrivilege) throw notOwner();
      if (error !== undefined) throw error;
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(lockKey)})`.execute(session);
    }
  });
}

/** Throws SetupError for a database that this version would have to migrate. One that is empty passes. */
export async function refuseOlder<Schema>(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass(${ledger}) is not null as there`.execute(db);
  if (rows[0]?.there !== true || (await isCurrent(db))) return;
  throw new SetupError([
    'The database is of an older version. Nothing was changed. Back up and stop the older processes; the next start brings it up to date.',
  ]);
}

const insufficientPrivilege = '42501';

function notOwner(): SetupError {
  return new SetupError([
    'The database is not at the schema of this version, and the role of DATABASE_URL may not change it. Run `firebreak migrate` with the DATABASE_URL of its owner first.',
  ]);
}

async function isCurrent<Schema>(db: Kysely<Schema>): Promise<boolean> {
  const { rows: tables } = await sql<{ there: boolean }>`select to_regclass(${ledger}) is not null as there`.execute(
    db,
  );
  if (tables[0]?.there !== true) return false;
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(ledger)}`.execute(db);
  const unknown = rows.filter(({ name }) => !(name in migrations)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new SetupError([
      `The database was made by a newer version of Firebreak (it holds ${unknown.join(', ')}). Nothing was changed. Run that version, or use another database.`,
    ]);
  }
  return rows.length === Object.keys(migrations).length;
}
