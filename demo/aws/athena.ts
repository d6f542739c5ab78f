/** Amazon Athena: one workgroup, one database over this world's logs. Queries really run (athena-tables.ts). */
import { randomUUID } from 'node:crypto';
import { type Answer, runStatement } from './athena-tables.ts';
import { AwsError } from './errors.ts';
import { type Call, type Outcome, type Service, text, texts } from './service.ts';
import type { State } from './state.ts';

export const athenaWorkgroup = 'firebreak';
export const athenaDatabase = 'firebreak';
const cutoffBytes = 10_000_000_000;

interface Execution {
  readonly id: string;
  readonly owner: string;
  readonly sql: string;
  readonly submittedAt: Date;
  state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason?: string;
  answer?: Answer;
}

/** Executions of each world, and the tokens that made them. */
const worlds = new WeakMap<
  State,
  { readonly byId: Map<string, Execution>; readonly byToken: Map<string, Execution> }
>();

function executionsOf(state: State) {
  const known = worlds.get(state) ?? { byId: new Map(), byToken: new Map() };
  worlds.set(state, known);
  return known;
}

function refuse(message: string): AwsError {
  return new AwsError('InvalidRequestException', 400, message);
}

function groupArn(call: Call, group: string): string {
  return `arn:aws:athena:${call.region}:${call.principal.account.id}:workgroup/${group}`;
}

function checkGroup(call: Call, group: string): void {
  call.may(`athena:${call.operation}`, groupArn(call, group));
  if (group !== athenaWorkgroup) throw refuse(`WorkGroup ${group} is not found.`);
}

function start(call: Call): Outcome {
  const group = text(call.input, 'WorkGroup') ?? 'primary';
  checkGroup(call, group);
  const sql = text(call.input, 'QueryString') ?? '';
  const token = text(call.input, 'ClientRequestToken') ?? randomUUID();
  if (sql === '' || sql.length > 262_144) throw refuse('The query string is empty or too long.');
  const { byId, byToken } = executionsOf(call.state);
  const before = byToken.get(token);
  if (before !== undefined) {
    if (before.sql !== sql) throw refuse('Idempotent parameters do not match.');
    return { output: { QueryExecutionId: before.id } };
  }
  const parameters = texts(call.input, 'ExecutionParameters');
  const places = sql.replaceAll(/'(?:[^']|'')*'/g, '').split('?').length - 1;
  if (places !== parameters.length) throw refuse(`Incorrect number of parameters: expected ${places}`);
  const run: Execution = {
    id: randomUUID(),
    owner: call.principal.account.id,
    sql,
    submittedAt: call.now,
    state: 'RUNNING',
  };
  byId.set(run.id, run);
  byToken.set(token, run);
  runStatement(sql, parameters, athenaDatabase, { state: call.state, trail: call.trail, now: call.now }).then(
    (answer) => {
      if (run.state !== 'RUNNING') return;
      run.answer = answer;
      run.state = answer.scannedBytes > cutoffBytes ? 'CANCELLED' : 'SUCCEEDED';
    },
    (error: unknown) => {
      run.reason = error instanceof Error ? error.message : String(error);
      if (run.state === 'RUNNING') run.state = 'FAILED';
    },
  );
  return { output: { QueryExecutionId: run.id } };
}

function found(call: Call): Execution {
  const id = text(call.input, 'QueryExecutionId') ?? '';
  call.may(`athena:${call.operation}`, groupArn(call, athenaWorkgroup));
  const run = executionsOf(call.state).byId.get(id);
  if (run === undefined || run.owner !== call.principal.account.id) throw refuse(`QueryExecution ${id} was not found`);
  return run;
}

function get(call: Call): Outcome {
  const run = found(call);
  return {
    output: {
      QueryExecution: {
        QueryExecutionId: run.id,
        Query: run.sql,
        StatementType: 'DML',
        WorkGroup: athenaWorkgroup,
        Status: {
          State: run.state,
          SubmissionDateTime: run.submittedAt.getTime() / 1000,
          ...(run.reason === undefined ? {} : { StateChangeReason: run.reason }),
        },
        Statistics: { DataScannedInBytes: run.answer?.scannedBytes ?? 0 },
      },
    },
  };
}

function results(call: Call): Outcome {
  const run = found(call);
  if (run.state !== 'SUCCEEDED' || run.answer === undefined)
    throw refuse(`Query has not yet finished. Current state: ${run.state}`);
  const { columns, rows } = run.answer;
  const size = Number(call.input.MaxResults ?? 1000);
  if (!Number.isInteger(size) || size < 1 || size > 1000) throw refuse('MaxResults must be between 1 and 1000.');
  const from = Number(text(call.input, 'NextToken') ?? '0');
  const all = [columns.map(({ name }) => name as string | undefined), ...rows];
  const page = all.slice(from, from + size);
  return {
    output: {
      UpdateCount: 0,
      ResultSet: {
        Rows: page.map((cells) => ({
          Data: cells.map((cell) => (cell === undefined ? {} : { VarCharValue: cell })),
        })),
        ResultSetMetadata: {
          ColumnInfo: columns.map(({ name, type }) => ({ CatalogName: 'hive', Name: name, Label: name, Type: type })),
        },
      },
      ...(from + size < all.length ? { NextToken: String(from + size) } : {}),
    },
  };
}

function stop(call: Call): Outcome {
  const run = found(call);
  if (run.state === 'RUNNING') run.state = 'CANCELLED';
  return { output: {} };
}

function workGroup(call: Call): Outcome {
  checkGroup(call, text(call.input, 'WorkGroup') ?? '');
  const Configuration = { EnforceWorkGroupConfiguration: true, BytesScannedCutoffPerQuery: cutoffBytes };
  return { output: { WorkGroup: { Name: athenaWorkgroup, State: 'ENABLED', Configuration } } };
}

export const athena: Service = {
  name: 'athena',
  protocol: 'json',
  namespace: '',
  apiVersion: '2017-05-18',
  eventSource: 'athena.amazonaws.com',
  global: false,
  operations: {
    StartQueryExecution: { readOnly: false, run: start },
    GetQueryExecution: { readOnly: true, run: get },
    GetQueryResults: { readOnly: true, run: results },
    StopQueryExecution: { readOnly: false, run: stop },
    GetWorkGroup: { readOnly: true, run: workGroup },
  },
};
