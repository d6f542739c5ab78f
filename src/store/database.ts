/** The connection pool, and what every table's file needs: opaque ids, text that PostgreSQL takes, errors by kind. */
import { createHash, randomBytes } from 'node:crypto';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { asError, SetupError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { Session } from './session.ts';
import type { Tables } from './tables.ts';

export type Database = Kysely<Tables>;

interface Connection {
  readonly db: Database;
  close(): Promise<void>;
}

/** Opens a pool. Nothing is connected until the first statement. */
export function connect(connectionString: string, applicationName: string, log: Log): Connection {
  const pool = new pg.Pool({
    connectionString,
    Client: Session,
    application_name: applicationName,
    max: 8,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    query_timeout: 20_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Idle connections that break are replaced by the pool; the next statement says whether the database is there.
  pool.on('error', (error) => log.warn({ error: error.message }, 'an idle database connection was lost'));
  // The pool hears its idle connections only: without this, one that breaks inside a transaction would end the process.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ error: error.message }, 'a database connection was lost'));
  });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= db.destroy();
    return closed;
  };
  return { db, close };
}

/** Crockford's alphabet in lower case: no letters that are mixed up, one word when double-clicked, never like a flag. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** An opaque id of 130 random bits, 26 characters. */
export function newId(): string {
  return Array.from(randomBytes(26), (byte) => alphabet[byte & 31]).join('');
}

/** PostgreSQL has no U+0000 in texts; what came from outside must be stored all the same. */
export function text(value: string): string {
  return value.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** Two such columns and a time fit into a row of an index (2,704 bytes), whatever script they are in. */
const longestIndexed = 256;

/** For a column in an index: what came from outside may be longer than an index takes, so that a hash stands for the rest. */
export function indexed(value: string): string {
  const whole = text(value);
  if (whole.length <= longestIndexed) return whole;
  const hash = createHash('sha256').update(whole).digest('base64url');
  return `${whole.slice(0, longestIndexed - hash.length - 1)}~${hash}`.toWellFormed();
}

export function optionalText(value: string | undefined): string | null {
  return value === undefined ? null : text(value);
}

/**
 * For a json column. `undefined` becomes null. PostgreSQL takes escapes of what its texts cannot hold (U+0000, halves of pairs), and
 * refuses every question that comes past them later: one such row would stop those about all others.
 */
export function json(value: unknown): string {
  const written = JSON.stringify(value) ?? 'null';
  if (!written.includes('\\u')) return written;
  return written.replace(/\\(?:u[0-9a-f]{4}|.)/g, (one) => (/^\\u(?:0000|d[89a-f])/.test(one) ? '\ufffd' : one));
}

/** SQLSTATE classes that the same statement meets again: data exception, constraint, invalid use, syntax or access rule. */
const hopeless = new Set(['21', '22', '23', '26', '42', '44', '0A']);

/**
 * The commit of this transaction does not wait for the disk. Only for work that is done again when it is lost with a crash of the
 * server: PostgreSQL's log is written in order, so that whatever is committed later and does wait (a claim before a post, a job
 * that is done) makes this durable too.
 */
export const withoutWaiting = sql`set_config('synchronous_commit', 'off', true)`;

const insufficientPrivilege = '42501';
const rightsAdvice =
  'The role of DATABASE_URL lacks that right: commands on the host need the DATABASE_URL of the owner, with which `firebreak migrate --roles` gives the roles of the processes theirs';

/** Runs database work; what goes wrong is thrown as UpstreamError `database`, with the SQLSTATE or system code. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw asUpstreamError(thrown);
  }
}

function asUpstreamError(thrown: unknown): Error {
  if (thrown instanceof UpstreamError || thrown instanceof UserError || thrown instanceof SetupError) return thrown;
  if (thrown instanceof TypeError || thrown instanceof RangeError || thrown instanceof CallerError)
    return unwrap(thrown);
  const error = asError(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'CONNECTION';
  const retryable = !(error instanceof pg.DatabaseError) || !hopeless.has(code.slice(0, 2));
  // The guards of the roles raise it as well, of what no role may do.
  const advice =
    code === insufficientPrivilege && error.message.startsWith('permission denied') ? `. ${rightsAdvice}` : '';
  return new UpstreamError('database', code, `The database did not do what was asked: ${error.message}${advice}`, {
    retryable,
    cause: error,
  });
}

/** Carries an error of a caller's callback through a transaction, so that it is not taken for the database's. */
export class CallerError extends Error {
  constructor(cause: unknown) {
    super('the callback failed', { cause });
    this.name = 'CallerError';
  }
}

function unwrap(error: Error): Error {
  return error instanceof CallerError ? asError(error.cause) : error;
}

/** ISO 8601 UTC of a timestamptz. */
export function iso(time: Date): string {
  return time.toISOString();
}
