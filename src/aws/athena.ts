/** Runs statements on Athena: limits before, polling with growing pauses, pages of results, and a stop where nobody waits any more. */
import { randomUUID } from 'node:crypto';
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type {
  AthenaEstimate,
  AthenaLedger,
  AthenaQuestions,
  AthenaRows,
  AthenaScope,
  AthenaStatement,
} from '../contracts/athena.ts';
import type { Clock } from '../contracts/clock.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { heardStatement } from '../domain/athena/queries.ts';
import { namedStatement } from '../domain/athena/questions.ts';
import { type AthenaSettings, dollarsOf } from '../domain/athena/settings.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { bytesText } from '../domain/conversations.ts';

export interface AthenaOptions {
  readonly settings: AthenaSettings;
  /** The client of the account and Region that the config names. */
  client(): Promise<Pick<AthenaClient, 'send'>>;
  scope(): Promise<AthenaScope>;
  estimate(statement: AthenaStatement): Promise<AthenaEstimate>;
  readonly ledger: AthenaLedger;
  readonly caseId: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const pageRows = 1_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** Athena's own limit for a statement of this kind is 30 minutes. */
const longestWaitMs = 15 * 60_000;

/** Nobody knows how the query ended; the cause is what went wrong. */
class UnknownEnd extends Error {}

/** Without an object in the partitions an empty result says nothing: other folders, other names of them, or no logs at all. */
function nothingRead(): UpstreamError {
  const words =
    'Athena read nothing: there are no objects where its table looks for that time, those accounts and those Regions';
  return new UpstreamError('athena', 'NothingRead', words, { retryable: false });
}

function isEnd(state: string | undefined): boolean {
  return state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED';
}

export function openAthena(options: AthenaOptions): AthenaQuestions {
  const { settings, signal, clock, ledger } = options;
  const spent = { bytes: 0, dollars: 0, queries: 0 };
  /** By what they read: a statement is estimated once, and parts of one question share it. */
  const estimates = new WeakMap<AthenaStatement['reads'], Promise<AthenaEstimate>>();
  let cutoff: Promise<number | undefined> | undefined;

  async function send<T>(what: string, call: (client: Pick<AthenaClient, 'send'>) => Promise<T>): Promise<T> {
    try {
      return await call(await options.client());
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError || error instanceof UpstreamError) throw error;
      const { code, message, retryable } = awsErrorFacts(asError(error));
      // All that is wrong with a request has this one name: which workgroup, which bucket, which table only the text tells.
      const why = code === 'InvalidRequestException' ? `: ${message.slice(0, 300)}` : '';
      throw new UpstreamError('athena', code, `Athena did not ${what} (${code})${why}`, { retryable, cause: error });
    }
  }

  /** The workgroup's own limit, which AWS enforces. Unknown where the right to ask is missing. */
  async function workgroupCutoff(): Promise<number | undefined> {
    try {
      const answer = await send('describe the workgroup', (client) =>
        client.send(new GetWorkGroupCommand({ WorkGroup: settings.workgroup }), { abortSignal: signal }),
      );
      if (answer.WorkGroup?.State === 'DISABLED')
        throw new UserError(`The Athena workgroup ${settings.workgroup} is disabled.`);
      return answer.WorkGroup?.Configuration?.BytesScannedCutoffPerQuery;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      options.log.warn({ code: error.code }, 'the limit of the Athena workgroup is not known');
      return undefined;
    }
  }

  function estimate(statement: AthenaStatement): Promise<AthenaEstimate> {
    const told = estimates.get(statement.reads) ?? options.estimate(statement);
    estimates.set(statement.reads, told);
    return told;
  }

  async function ask(statement: AthenaStatement): Promise<AthenaRows> {
    signal.throwIfAborted();
    const about = await estimate(statement);
    cutoff ??= workgroupCutoff();
    const limit = Math.min(settings.maxBytesPerQuery, (await cutoff) ?? Number.POSITIVE_INFINITY);
    if (about.bytes !== undefined && about.bytes > limit) {
      throw new UserError(
        `Athena would read about ${bytesText(about.bytes)}, and ${bytesText(limit)} is the limit of a query.`,
        'Narrow the window, the accounts or the Regions, or raise athena.maxBytesPerQuery and the limit of the workgroup.',
      );
    }
    const id = randomUUID();
    const reserved = Math.min(about.bytes ?? limit, limit);
    const granted = await ledger.reserve({
      id,
      caseId: options.caseId,
      bytes: reserved,
      title: statement.title,
      maxPerDay: settings.maxBytesPerDay,
      maxPerCase: settings.maxBytesPerCase,
      at: clock.now().toISOString(),
    });
    if (!granted.granted) {
      throw new UserError(
        `The limit of Athena for this ${granted.limit ?? 'day'} does not hold this query: ${bytesText(granted.left)} are left.`,
        `Narrow the question, or raise athena.maxBytesPer${granted.limit === 'case' ? 'Case' : 'Day'}.`,
      );
    }
    let scanned = 0;
    try {
      // An estimate may be wrong: what it stops at is what the day and the case still hold, not what one query may read.
      const run = await execute(statement, id, Math.min(limit, reserved + granted.left), (bytes) => {
        scanned = bytes;
      });
      if (run.bytes === 0 && run.rows.length === 0) throw nothingRead();
      return run;
    } catch (error) {
      // It may run, and nobody knows what it reads.
      if (error instanceof UnknownEnd) {
        scanned = Math.max(scanned, reserved);
        throw error.cause;
      }
      throw error;
    } finally {
      // The ledger is told what AWS bills, also for a query that failed or was stopped.
      spent.bytes += scanned;
      spent.dollars += dollarsOf(scanned, settings);
      spent.queries += 1;
      await ledger.settle(id, scanned);
      options.log.info({ bytes: scanned, question: statement.title }, 'Athena was asked');
    }
  }

  async function execute(
    statement: AthenaStatement,
    token: string,
    limit: number,
    tell: (bytes: number) => void,
  ): Promise<AthenaRows> {
    const { QueryExecutionId: queryExecutionId } = await starting((client) =>
      client.send(
        new StartQueryExecutionCommand({
          QueryString: statement.sql,
          ClientRequestToken: token,
          WorkGroup: settings.workgroup,
          QueryExecutionContext: { Database: settings.database },
          ...(settings.outputLocation === undefined
            ? {}
            : { ResultConfiguration: { OutputLocation: `${settings.outputLocation}/` } }),
          ...(statement.parameters.length === 0 ? {} : { ExecutionParameters: [...statement.parameters] }),
        }),
        { abortSignal: signal },
      ),
    );
    if (queryExecutionId === undefined)
      throw new UpstreamError('athena', 'NotAws', 'the answer had no query id', { retryable: true });
    let done: QueryExecution;
    try {
      done = await finished(queryExecutionId, limit, tell);
    } catch (error) {
      if (error instanceof UpstreamError && isEnd(error.code)) throw error;
      await stop(queryExecutionId);
      const bytes = await billed(queryExecutionId);
      if (bytes === undefined) throw new UnknownEnd('', { cause: error });
      tell(bytes);
      throw error;
    }
    const bytes = done.Statistics?.DataScannedInBytes ?? 0;
    return { ...(await results(queryExecutionId, statement.maxRows)), queryExecutionId, bytes };
  }

  /** A request that may have been carried out without an answer has begun a query that AWS bills. */
  async function starting<T>(call: (client: Pick<AthenaClient, 'send'>) => Promise<T>): Promise<T> {
    try {
      return await send('start the query', call);
    } catch (error) {
      // A role that could not be taken is none of Athena's.
      const isOther = error instanceof UpstreamError && error.service !== 'athena';
      const cause = error instanceof UpstreamError ? error.cause : error;
      if (error instanceof UserError || isOther || !awsErrorFacts(cause).ambiguous) throw error;
      throw new UnknownEnd('', { cause: error });
    }
  }

  /** What a query that was stopped has read. Undefined where AWS does not tell. */
  async function billed(id: string): Promise<number | undefined> {
    try {
      const client = await options.client();
      const { QueryExecution: run } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), {
        abortSignal: AbortSignal.timeout(5_000),
      });
      return run?.Statistics?.DataScannedInBytes ?? (isEnd(run?.Status?.State) ? 0 : undefined);
    } catch (error) {
      options.log.warn({ code: awsErrorFacts(asError(error)).code }, 'what a query of Athena has read is not known');
      return undefined;
    }
  }

  async function finished(id: string, limit: number, tell: (bytes: number) => void): Promise<QueryExecution> {
    const until = clock.now().getTime() + longestWaitMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.6)) {
      const { QueryExecution: run } = await send('tell how the query is', (client) =>
        client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: signal }),
      );
      const bytes = run?.Statistics?.DataScannedInBytes ?? 0;
      tell(bytes);
      const state = run?.Status?.State;
      if (run !== undefined && state === 'SUCCEEDED') return run;
      if (state === 'FAILED' || state === 'CANCELLED') {
        const why = run?.Status?.StateChangeReason ?? run?.Status?.AthenaError?.ErrorMessage ?? 'no reason told';
        const retryable = run?.Status?.AthenaError?.Retryable === true;
        throw new UpstreamError('athena', state, `Athena's query ended as ${state}: ${why.slice(0, 300)}`, {
          retryable,
        });
      }
      if (bytes > limit) {
        throw new UserError(
          `Athena's query was stopped: it had read ${bytesText(bytes)}, and ${bytesText(limit)} is the limit.`,
          'Narrow the window, the accounts or the Regions.',
        );
      }
      if (clock.now().getTime() > until)
        throw new UpstreamError('athena', 'TooSlow', 'Athena did not finish in 15 minutes', { retryable: false });
      await clock.sleep(pauseMs, signal);
    }
  }

  async function results(id: string, maxRows: number): Promise<Pick<AthenaRows, 'columns' | 'rows' | 'truncated'>> {
    const rows: (readonly (string | undefined)[])[] = [];
    let columns: readonly string[] = [];
    let token: string | undefined;
    let isFirst = true;
    do {
      const page = await send('give the results', (client) =>
        client.send(
          new GetQueryResultsCommand({
            QueryExecutionId: id,
            MaxResults: pageRows,
            ...(token === undefined ? {} : { NextToken: token }),
          }),
          { abortSignal: signal },
        ),
      );
      const info = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
      if (isFirst) columns = info.map(({ Name }) => Name ?? '');
      const cells = (page.ResultSet?.Rows ?? []).map(({ Data }) => columns.map((_, at) => Data?.[at]?.VarCharValue));
      // The first row of a SELECT is the names again.
      const isHeader = isFirst && cells[0]?.every((cell, at) => cell === columns[at]) === true;
      rows.push(...(isHeader ? cells.slice(1) : cells));
      isFirst = false;
      token = page.NextToken;
    } while (token !== undefined && rows.length <= maxRows);
    return { columns, rows: rows.slice(0, maxRows), truncated: rows.length > maxRows };
  }

  /** Without the aborted signal. A query that ended already is none to stop, and a refusal changes nothing. */
  async function stop(id: string): Promise<void> {
    try {
      const client = await options.client();
      await client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), {
        abortSignal: AbortSignal.timeout(5_000),
      });
    } catch (error) {
      options.log.warn({ code: awsErrorFacts(asError(error)).code }, 'a query of Athena could not be stopped');
    }
  }

  return {
    scope: options.scope,
    named: (question, words, scope) => namedStatement(question, words, scope, settings),
    heard: (table, scope) => heardStatement(settings, table, scope),
    dollars: (bytes) => dollarsOf(bytes, settings),
    estimate,
    ask,
    spent: () => ({ ...spent }),
  };
}
