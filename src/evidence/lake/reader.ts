/** DuckDB for readers: it can reach the shards of one lake and nothing else. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { sqlText } from './columns.ts';
import type { LakeFolder } from './pages.ts';
import type { Filters, RowGroups } from './words.ts';

export interface Shard {
  readonly path: string;
  readonly filters: Filters | undefined;
  /** Those in which anything stands; undefined where nobody has looked. */
  readonly columns?: readonly string[] | undefined;
  /** Undefined where DuckDB has to look for them. */
  readonly rowGroups?: RowGroups | undefined;
}

export interface Reader {
  /** Absent where no shard has records of the window. */
  readonly connection: DuckDBConnection | undefined;
  readonly shards: readonly Shard[];
  close(): void;
}

/** One per lake and process: what it has read of the shards' footers serves the next session too. */
const instances = new Map<string, Promise<DuckDBInstance>>();

/** In a sandbox: nothing but the shards can be reached from SQL, and no setting can be changed any more. */
async function sandbox(folder: LakeFolder): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '1GB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET allowed_directories = [${sqlText(`${folder.shards}/`)}]`);
    await connection.run("SET temp_directory = ''");
    // Shards never change, and reading their footers again would cost more than most questions.
    await connection.run('SET parquet_metadata_cache = true');
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
  } finally {
    connection.closeSync();
  }
  return instance;
}

function instanceOf(folder: LakeFolder): Promise<DuckDBInstance> {
  const known = instances.get(folder.shards);
  if (known) return known;
  const starting = sandbox(folder);
  instances.set(folder.shards, starting);
  starting.catch(() => instances.delete(folder.shards));
  return starting;
}

/** A connection of its own for each session. */
export async function openReader(folder: LakeFolder, shards: readonly Shard[]): Promise<Reader> {
  if (shards.length === 0) return { connection: undefined, shards, close: () => undefined };
  const connection = await (await instanceOf(folder)).connect();
  return { connection, shards, close: () => connection.closeSync() };
}
