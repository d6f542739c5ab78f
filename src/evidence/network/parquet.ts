/** Flow logs in Parquet, as AWS can deliver them: read by DuckDB, row by row. */
import { open } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { attachmentField, flowFields, flowOf } from '../../domain/flow-log.ts';
import { sqlText } from '../lake/columns.ts';
import type { NetworkFile, NetworkSink } from './text.ts';

/** Whether the file is Parquet, by its first bytes. Throws the system's error where it cannot be read. */
export async function isParquet(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === 'PAR1';
  } finally {
    await handle.close();
  }
}

/** Hands every flow of the file to the sink and judges the file. Parquet without addresses is none of ours. */
export async function readParquetFlows(file: string, path: string, sink: NetworkSink): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: '500MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: '',
  });
  const db = await instance.connect();
  const told: { kind: NetworkFile['kind']; lines: number; skipped: number; bad: number } = {
    kind: 'other',
    lines: 0,
    skipped: 0,
    bad: 0,
  };
  let problem: string | undefined;
  try {
    const columns = await db.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${sqlText(file)})`);
    // Hive-style Parquet has underscores, plain Parquet of AWS too; either spelling is taken.
    const names = new Map(
      columns.getRowObjects().map((row) => {
        const name = String(row.column_name);
        return [name.toLowerCase().replaceAll('_', '-'), name];
      }),
    );
    const wanted = [...flowFields, attachmentField].filter((field) => names.has(field));
    if (wanted.includes('srcaddr') || wanted.includes('pkt-srcaddr')) {
      told.kind = 'flows';
      const picks = wanted.map((field) => `CAST("${names.get(field)}" AS VARCHAR)`);
      const rows = await db.stream(`SELECT ${picks.join(', ')} FROM read_parquet(${sqlText(file)})`);
      for await (const chunk of rows.yieldRows()) {
        for (const row of chunk) {
          const fields = new Map(wanted.map((field, at) => [field, row[at]]));
          const parsed = flowOf((field) => {
            const value = fields.get(field);
            return typeof value === 'string' && value !== '-' ? value : '';
          });
          if (parsed.kind === 'bad') told.bad += 1;
          else told.lines += 1;
          if (parsed.kind === 'skipped') told.skipped += 1;
          if (parsed.kind === 'flow') sink.flow(parsed.flow);
        }
      }
    }
  } catch (error) {
    // DuckDB's errors are plain ones, and all of them are about the file here.
    problem = `damaged Parquet: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 120)}`;
  } finally {
    db.closeSync();
    instance.closeSync();
  }
  if (told.bad > 0)
    problem = [problem, `${told.bad} rows could not be read; ${told.lines} were`].filter(Boolean).join('; ');
  const kind = problem === undefined ? told.kind : 'flows';
  sink.file({ path, kind, lines: told.lines, skipped: told.skipped, ...(problem === undefined ? {} : { problem }) });
}
