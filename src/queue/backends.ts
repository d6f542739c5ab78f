/** The two backends of BullMQ, each on one shared set of connections: PostgreSQL (schema `bullmq`) and Redis. */
import { type EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  type Processor,
  Queue,
  runMigrations,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { asError, SetupError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { evictionProblem } from './redis-policy.ts';

export type BackendChoice =
  | { readonly kind: 'postgres'; readonly connectionString: string }
  | { readonly kind: 'redis'; readonly url: string };

type WorkOptions = Omit<WorkerOptions, 'connection' | 'prefix'>;

/** BullMQ's classes carry the types of their backend; these parts are the same on both. */
export type Line = Pick<Queue, 'add' | 'getJobCounts' | 'waitUntilReady' | 'close'> & EventEmitter;
export type LineWorker = Pick<Worker, 'waitUntilReady' | 'run' | 'close'> & EventEmitter;

export interface Backend {
  queue(lane: string): Line;
  worker(lane: string, process: Processor, options: WorkOptions): LineWorker;
  /** Lets the next look for dead workers' jobs take over all that run in the lane now, whatever their locks say. */
  orphan(lane: string): Promise<void>;
  /** A real write. */
  check(): Promise<void>;
  /** Lets go of the shared connections; queues and workers are closed before. */
  close(): Promise<void>;
}

/** Connects; throws what the driver throws where the server cannot be reached. */
export function openBackend(choice: BackendChoice, prefix: string, log: Log): Promise<Backend> {
  return choice.kind === 'postgres'
    ? openPostgres(choice.connectionString, prefix, log)
    : openRedis(choice.url, prefix, log);
}

async function openPostgres(connectionString: string, prefix: string, log: Log): Promise<Backend> {
  const pool = new pg.Pool({
    connectionString,
    application_name: 'firebreak queue',
    // Every worker holds one connection to listen on.
    max: 14,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 15_000,
    query_timeout: 20_000,
    // The system's own first look comes after two hours, and what was sent on a connection nobody has is lost.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: '-c search_path=bullmq',
  });
  // Each queue and each worker listens on the pool too.
  pool.setMaxListeners(50);
  pool.on('error', (error) => log.warn({ error: error.message }, 'an idle queue connection was lost'));
  const connected = new Set<pg.PoolClient>();
  pool.on('remove', (client) => connected.delete(client));
  // The pool hears its idle connections only: without this, one that breaks while BullMQ holds it would end the process.
  pool.on('connect', (client) => {
    connected.add(client);
    client.on('error', (error) => log.warn({ error: error.message }, 'a queue connection was lost'));
  });
  try {
    const client = await pool.connect();
    try {
      await migrated(client);
    } finally {
      client.release();
    }
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  // The same thing to both: the declared types differ in how they overload `on`.
  const connection = pool as unknown as PgPool;
  const named = (lane: string) => `${prefix}-${lane}`;
  return {
    queue: (lane) => new Queue(named(lane), { connection }, createPostgresBackend),
    worker: (lane, process, options) => new Worker(named(lane), process, { ...options, connection }, looking),
    orphan: async (lane) => {
      // BullMQ's own takeover does the rest: it wants an expired lock, a mark of an earlier look, and no look lately.
      await pool.query(
        `update job set locked_until_ms = 0, stalled_marked = true where queue = $1 and state = 'active'`,
        [named(lane)],
      );
      await pool.query(`delete from meta where queue = $1 and field = 'stalled-check'`, [named(lane)]);
    },
    check: async () => {
      await pool.query(
        `insert into meta (queue, field, value) values ($1, 'check', $2)
           on conflict (queue, field) do update set value = excluded.value`,
        [prefix, new Date().toISOString()],
      );
    },
    close: async () => {
      await pool.end();
      // The pool does not wait for them, and a server that stops meanwhile makes each of them a trouble in the log.
      while (connected.size > 0) await once(pool, 'remove');
    },
  };
}

/** How long a lane waits to be told of a job before it looks by itself. */
const longestSilenceSeconds = 10;

/**
 * BullMQ trusts a listening connection for up to an hour where the next job is known to be due later. One that broke without
 * a word (a failover, a proxy) tells of none, and the lane would stand still meanwhile. It also keeps one that does not even
 * take LISTEN (a standby, a server that went away just then), and would ask that same one for ever.
 */
const looking: typeof createPostgresBackend = (...asked) => {
  const backend = createPostgresBackend(...asked);
  const wait = backend.waitForJob.bind(backend);
  backend.waitForJob = async (seconds) => {
    const client = await backend.connection.getListenClient();
    try {
      return await wait(seconds);
    } catch (thrown) {
      (client as unknown as EventEmitter).emit('error', asError(thrown));
      await sleep(1_000);
      throw thrown;
    }
  };
  return Object.defineProperty(backend, 'maximumBlockTimeout', { value: longestSilenceSeconds });
};

const insufficientPrivilege = '42501';

/** A role that may not change the schema can work on one that is up to date. Throws SetupError where it is not. */
async function migrated(client: pg.PoolClient): Promise<void> {
  try {
    await runMigrations(client, 'bullmq');
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== insufficientPrivilege) throw thrown;
    const known = await client.query<{ there: boolean }>(`select to_regclass('bullmq.migration') is not null as there`);
    const { rows } =
      known.rows[0]?.there === true
        ? await client.query<{ version: number }>('select max(version)::int as version from bullmq.migration')
        : { rows: [] };
    if ((rows[0]?.version ?? 0) >= LATEST_SCHEMA_VERSION) return;
    throw new SetupError([
      'The queue’s schema is not at the one of this version, and the role of DATABASE_URL may not change it. Run `firebreak migrate` with the DATABASE_URL of its owner first.',
    ]);
  }
}

interface Patience {
  readonly enableOfflineQueue: boolean;
  readonly maxRetriesPerRequest: number | null;
}

/** Longer than any question waits there for a job. */
const redisSilenceMs = 15_000;

async function openRedis(url: string, prefix: string, log: Log): Promise<Backend> {
  const retryStrategy = (times: number) => Math.min(times * 100, 2_000);
  const opened = new Set<Redis>();
  const connect = (name: string, patience: Patience): Redis => {
    const redis = new Redis(url, {
      connectionName: name,
      connectTimeout: 2_000,
      retryStrategy,
      // A connection that went silent, and one to a server that only reads since a failover, would be kept for good.
      socketTimeout: redisSilenceMs,
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      ...patience,
    });
    redis.on('error', (error) => log.warn({ error: error.message, connection: name }, 'the queue lost Redis'));
    opened.add(redis);
    // BullMQ's workers wait on copies, and leave one that is connecting to itself: it would keep the process for good.
    const copy = redis.duplicate.bind(redis);
    redis.duplicate = (...changes) => {
      const copied = copy(...changes);
      opened.add(copied);
      return copied;
    };
    return redis;
  };
  // The producer fails at once when Redis is away, so that a webhook answers 503; the workers wait for it.
  const producer = connect('firebreak-producer', { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  let consumer: Redis | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      producer.once('ready', () => resolve());
      producer.once('error', reject);
    });
  } catch (thrown) {
    producer.disconnect();
    throw thrown;
  }
  const problem = evictionProblem(await producer.info('memory'));
  if (problem !== undefined) log.warn({}, problem);
  return {
    queue: (lane) => new Queue(lane, { connection: producer, prefix }),
    worker: (lane, process, options) => {
      consumer ??= connect('firebreak-consumer', { enableOfflineQueue: true, maxRetriesPerRequest: null });
      return new Worker(lane, process, { ...options, connection: consumer, prefix });
    },
    // Nobody can tell who else works on a Redis: the locks run out by themselves.
    orphan: async () => undefined,
    check: async () => {
      await producer.set(`${prefix}:check`, new Date().toISOString(), 'EX', 60);
    },
    close: async () => {
      for (const redis of opened) redis.disconnect();
    },
  };
}
