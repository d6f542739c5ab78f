/** What earlier versions wrote into json columns as PostgreSQL takes it and cannot read it (database.ts, `json`). */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** An escape of U+0000 or of half a pair, behind any number of escaped backslashes. */
const unreadable = String.raw`(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})`;

/** All with json columns but the audit, which is append-only and has been written without them from the beginning. */
const tables = [
  ...['alerts', 'alive_looks', 'approval_notices', 'approval_steps', 'approval_votes', 'approvals', 'buttons', 'cases'],
  ...[
    'case_findings',
    'containment_requests',
    'dossiers',
    'enrichments',
    'investigations',
    'rule_exceptions',
    'settings',
  ],
  ...['snoozes', 'standings', 'stream_bursts', 'stream_entries', 'stream_records', 'stream_stories', 'strike_steps'],
  ...['strikes', 'verifications', 'vote_requests'],
];

export const wellFormedJson: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql
      .raw(
        `do $migration$ declare one record; begin
          for one in select table_name, column_name from information_schema.columns
            where table_schema = current_schema() and data_type = 'json' and table_name in (${tables.map((name) => `'${name}'`)})
          loop
            execute format(
              'update %1$I set %2$I = regexp_replace(%2$I::text, %3$L, %4$L, ''g'')::json where %2$I::text ~ %3$L',
              one.table_name, one.column_name, '${unreadable}', '\\1' || chr(65533));
          end loop;
        end $migration$`,
      )
      .execute(db);
  },
};
