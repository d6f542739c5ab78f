/** `firebreak migrate` and `firebreak grants`: the schema and the roles of an operator's own database, as its owner. */
import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { openLog } from './log.ts';
import { applyRoles, rolesSql } from './store/roles.ts';
import { connectQueue, connectStore } from './wire.ts';

/**
 * Brings the schema (and the queue's, where it is in PostgreSQL) up to date, then gives the two roles their rights where they
 * exist or `--roles` asks for them. Throws SetupError and UpstreamError. Returns the exit code.
 */
export async function migrateCommand(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...words], options: { roles: { type: 'boolean', default: false } } });
  const config = loadConfig({ kind: 'cli' });
  const log = openLog('error');
  const { connectionString, close } = await connectStore(config, [], log);
  try {
    await (await connectQueue(config, connectionString, log)).close(1_000);
    const given = await applyRoles(connectionString, { create: values.roles });
    process.stdout.write(
      given
        ? 'The schema is up to date; firebreak_app and firebreak_executor have their rights. Give them passwords with ALTER ROLE.\n'
        : 'The schema is up to date. There are no roles firebreak_app and firebreak_executor; --roles makes them.\n',
    );
    return 0;
  } finally {
    await close();
  }
}

/** Prints the SQL of the roles. */
export function grantsCommand(): number {
  process.stdout.write(rolesSql);
  return 0;
}
