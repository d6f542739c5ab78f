/**
 * Turns: work on one thing by one job at a time, over all processes. A turn is an advisory lock in a transaction of its
 * own, so the server ends it with the session, whatever kills the process, and a pooler in between keeps it together.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { asking } from './database.ts';

/** First key of our locks; the roles of a data folder have another one. */
const lockSpace = 0x4643;
/** More than the jobs that one worker runs at the same time; a waiting turn holds a connection too. */
const maxTurns = 12;
/** After this the waiting job is tried again later. */
const patienceMs = 20_000;

export interface Turns {
  /** Waits for the turn, then runs `work`. Throws UpstreamError `database` where the turn does not come; else what `work` throws. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The pool is apart from the statements' own: work in a turn needs statements, and must never wait for itself. */
export function openTurns(connectionString: string, applicationName: string, log: Log): Turns {
  const pool = new pg.Pool({
    connectionString,
    application_name: `${applicationName} turns`,
    max: maxTurns,
    connectionTimeoutMillis: 5_000,
    lock_timeout: patienceMs,
    // Later than the server's own word: without it a job would wait for a server that went away without one.
    query_timeout: patienceMs + 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const lost = (error: Error) => log.warn({ error: error.message }, 'the connection of a turn was lost');
  pool.on('error', lost);
  // A connection that breaks while it is held must not end the process: the turn is over, the work goes on.
  pool.on('connect', (client) => client.on('error', lost));

  async function begin(key: string): Promise<pg.PoolClient> {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock($1, $2)', [lockSpace, numberOf(key)]);
      return client;
    } catch (thrown) {
      client.release(true);
      throw thrown;
    }
  }

  async function end(client: pg.PoolClient): Promise<void> {
    let broken: Error | undefined;
    try {
      await client.query('commit');
    } catch (thrown) {
      // The session is gone, and the turn with it.
      broken = asError(thrown);
      lost(broken);
    }
    client.release(broken);
  }

  return {
    async take(key, work) {
      const client = await asking(() => begin(key));
      try {
        return await work();
      } finally {
        await end(client);
      }
    },
    close: () => pool.end(),
  };
}

/** Two keys of the same number wait for each other needlessly, which does no harm. */
function numberOf(key: string): number {
  return createHash('sha256').update(key).digest().readInt32BE(0);
}
