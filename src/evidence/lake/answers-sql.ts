/** What is wanted of classes of rows as SQL that answers what would be asked of their records, and gives the records where it cannot. */
import { maxAsks, type Wanted } from '../../contracts/condition.ts';
import { columnTypes, sqlText } from './columns.ts';
import { Conditions } from './condition-sql.ts';

/** Who did it, where from, where, and how it ended: in columns of their own. */
const plain = [
  'userIdentity',
  'awsRegion',
  'sourceIPAddress',
  'recipientAccountId',
  'errorCode',
  'errorMessage',
] as const;
/** In other columns, or for questions only. */
const elsewhere = new Set<string>([...plain, 'event_time', 'eventSource', 'eventName', 'file', 'ip', 'account']);

/**
 * A query over `rows`, rows of shards that have a `class` and a `label`. `yes` is the answers bit by bit, -1 where SQL does not know
 * all of them, NULL where none are wanted: then the record is. `rest` is the other fields that are read, as the inside of a JSON
 * object. Rows that nobody wants are left out.
 */
export function toldSql(classes: readonly Wanted[], rows: string): string {
  const conditions = new Conditions();
  const answers = classes.flatMap((wanted, number) =>
    isTold(wanted) ? [`WHEN ${number} THEN ${answersSql(wanted, number, conditions)}`] : [],
  );
  const tests = classes.flatMap((wanted, number) => {
    const { where } = wanted;
    if (where === undefined) return [];
    // Every answer is no: then nobody wants the row.
    return [isTold(wanted) ? `WHEN ${number} THEN yes <> 0` : `WHEN ${number} THEN ${conditions.sql(where, number)}`];
  });
  // What may differ from call to call is not moved: else DuckDB works all of it out twice, for the filter and for the value.
  const yes = answers.length === 0 ? 'NULL' : `CASE class ${answers.join(' ')} END + CAST(random() < 0 AS INTEGER)`;
  const wanted = tests.length === 0 ? 'true' : `TRY(CASE class ${tests.join(' ')} ELSE true END) IS NOT FALSE`;
  return `SELECT yes, label, epoch_ms(event_time) AS event_ms, CAST(event_uuid AS VARCHAR) AS event_uuid, ${plain.join(', ')},
      ${restSql(classes)} AS rest
    FROM (SELECT *, CAST(${yes} AS INTEGER) AS yes FROM (${conditions.over(rows)})) WHERE ${wanted}`;
}

function isTold({ asks }: Wanted): boolean {
  return asks !== undefined && asks.length <= maxAsks;
}

function answersSql({ asks = [] }: Wanted, number: number, conditions: Conditions): string {
  const bits = asks.map(({ where }, bit) => `TRY(CAST(${conditions.sql(where, number)} AS INTEGER)) * ${2 ** bit}`);
  // A row that is not as usual is for the door, as in the row assembler; Insights are for the rules in memory, which tell them from calls.
  const sum = bits.length === 0 ? '0' : `coalesce(${bits.join(' + ')}, -1)`;
  return `CASE WHEN event_uuid IS NOT NULL AND extra IS NULL AND "insightDetails" IS NULL THEN ${sum} ELSE -1 END`;
}

function restSql(classes: readonly Wanted[]): string {
  const parts = columnTypes.flatMap(([column]) => {
    if (elsewhere.has(column) || column === 'event_uuid') return [];
    if (column === 'extra') return [`substring(extra, 2, length(extra) - 2)`];
    const field = column === 'request_uuid' ? 'requestID' : column;
    const key = sqlText(`${JSON.stringify(field)}:`);
    if (column === 'eventID') return [`CASE WHEN event_uuid IS NULL THEN ${key} || eventID END`];
    if (column === 'insightDetails') return [`${key} || "insightDetails"`];
    const readers = classes.flatMap((wanted, number) => readersOf(wanted, number, field));
    if (readers.length === 0) return [];
    const text = column === 'request_uuid' ? `'"' || CAST(request_uuid AS VARCHAR) || '"'` : `"${column}"`;
    return [`CASE WHEN ${readers.join(' OR ')} THEN ${key} || ${text} END`];
  });
  return parts.length === 0 ? 'CAST(NULL AS VARCHAR)' : `nullif(concat_ws(',', ${parts.join(', ')}), '')`;
}

/** Conditions under which the field is read in a row of the class: none or one. */
function readersOf(wanted: Wanted, number: number, field: string): readonly string[] {
  const isIn = (fields: readonly string[] | 'all') => fields === 'all' || fields.includes(field);
  const ofClass = `class = ${number}`;
  // What every reader of records gets.
  const inRecord = field === 'readOnly' || isIn(wanted.fields);
  if (!isTold(wanted)) return inRecord ? [ofClass] : [];
  if (isIn(wanted.kept ?? [])) return [ofClass];
  const bits = (wanted.asks ?? []).reduce((sum, { fields }, bit) => (isIn(fields) ? sum + 2 ** bit : sum), 0);
  const needed = [...(inRecord ? ['yes < 0'] : []), ...(bits === 0 ? [] : [`(yes > 0 AND yes & ${bits} <> 0)`])];
  return needed.length === 0 ? [] : [`(${ofClass} AND (${needed.join(' OR ')}))`];
}
