/** The Athena adapter against a server of Athena's protocol: pages, NULL, refusals, and a stop where nobody waits. */
import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { athenaDatabase, athenaWorkgroup } from '../../../demo/aws/athena.ts';
import { type DemoAws, startDemoAws } from '../../../demo/aws/server.ts';
import { openAthena } from '../../../src/aws/athena.ts';
import { systemClock } from '../../../src/clock.ts';
import type { AthenaLedger, AthenaStatement } from '../../../src/contracts/athena.ts';
import { AthenaSection } from '../../../src/domain/athena/settings.ts';
import { quietLog } from '../../fakes/quiet-log.ts';

let aws: DemoAws;
let client: AthenaClient;
const settings = AthenaSection.parse({
  ...{ accountId: '999999999999', region: 'us-east-1', workgroup: athenaWorkgroup, database: athenaDatabase },
  ...{ tables: { cloudtrail: 'cloudtrail' }, maxBytesPerQuery: '1GB' },
});
const scope = { accounts: ['999999999999'], regions: ['us-east-1'], from: '2026-01-01', to: '2026-01-02' };

beforeAll(async () => {
  aws = await startDemoAws({ story: 's3', backgroundEvents: 20 });
  const { accessKeyId, secretAccessKey } = aws.credentials.breakGlass;
  client = new AthenaClient({ region: 'us-east-1', endpoint: aws.url, credentials: { accessKeyId, secretAccessKey } });
});
afterAll(async () => {
  client?.destroy();
  await aws?.close();
});

function statement(sql: string, maxRows = 5_000, parameters: readonly string[] = []): AthenaStatement {
  return { title: 'test', sql, parameters, reads: { table: 'cloudtrail', scope }, maxRows };
}

function open(
  signal = new AbortController().signal,
  own = settings,
  through: Pick<AthenaClient, 'send'> = client,
  { estimated = undefined as number | undefined, left = 1e12 } = {},
) {
  const settled: number[] = [];
  const ledger: AthenaLedger = {
    reserve: async () => ({ granted: true, left, limit: undefined }),
    settle: async (_id, bytes) => {
      settled.push(bytes);
    },
  };
  const athena = openAthena({
    settings: own,
    client: async () => through,
    scope: async () => scope,
    estimate: async () => ({ bytes: estimated, because: 'a test' }),
    ...{ ledger, caseId: undefined, clock: systemClock, log: quietLog, signal },
  });
  return { athena, settled };
}

const numbers = 'SELECT n, CASE WHEN n % 2 = 0 THEN NULL ELSE n END AS odd FROM range(2500) AS t(n) ORDER BY n';

describe('a query', { timeout: 30_000 }, () => {
  it('comes in pages, without the row of names, NULL as nothing', async () => {
    const { athena } = open();
    const answer = await athena.ask(statement(numbers));

    expect(answer.columns).toEqual(['n', 'odd']);
    expect([answer.rows.length, answer.truncated]).toEqual([2500, false]);
    expect(answer.rows.slice(0, 2)).toEqual([
      ['0', undefined],
      ['1', '1'],
    ]);
    expect(answer.rows.at(-1)).toEqual(['2499', '2499']);
  });

  it('is cut at its limit of rows, and says so', async () => {
    const answer = await open().athena.ask(statement(numbers, 1200));

    expect([answer.rows.length, answer.truncated]).toEqual([1200, true]);
  });

  it('that fails is an error with AWS’s reason, and what it read is settled', async () => {
    const { athena, settled } = open();

    await expect(athena.ask(statement('SELECT nothing FROM nowhere'))).rejects.toMatchObject({
      ...{ name: 'UpstreamError', code: 'FAILED', message: expect.stringContaining('nowhere') },
    });
    expect(settled).toEqual([0]);
  });

  it('is stopped in AWS when nobody waits for it any more', async () => {
    const ended = new AbortController();
    const { athena, settled } = open(ended.signal);
    const remove = aws.onRequest((call) => {
      if (call.operation === 'GetQueryExecution') ended.abort(new Error('nobody waits'));
    });

    await expect(athena.ask(statement('SELECT count(*) FROM range(10) AS t(n)'))).rejects.toThrow();
    remove();
    expect(aws.calls.filter(({ operation }) => operation === 'StopQueryExecution')).not.toHaveLength(0);
    expect(settled).toHaveLength(1);
  });

  it('that AWS refuses tells AWS’s own words: which workgroup', async () => {
    const { athena, settled } = open(undefined, { ...settings, workgroup: 'nowhere' });

    await expect(athena.ask(statement('SELECT 1'))).rejects.toMatchObject({
      ...{ code: 'InvalidRequestException', message: expect.stringContaining('WorkGroup nowhere is not found') },
    });
    expect(settled).toEqual([0]);
  });

  it('whose end AWS does not tell counts with all that was set aside for it', async () => {
    const blind = {
      send: async (command: object, options?: object) => {
        if (command instanceof GetQueryExecutionCommand) {
          throw Object.assign(new Error('down'), {
            name: 'InternalServerException',
            $metadata: { httpStatusCode: 500 },
          });
        }
        return client.send(command as never, options as never);
      },
    } as Pick<AthenaClient, 'send'>;
    const { athena, settled } = open(undefined, settings, blind);

    await expect(athena.ask(statement('SELECT 1'))).rejects.toMatchObject({ code: 'InternalServerException' });
    expect(settled).toEqual([1e9]);
  });

  it('that may have begun although no answer came counts too, one that was refused does not', async () => {
    const failing = (name: string, httpStatusCode: number) =>
      ({
        send: async (command: object, options?: object) => {
          if (command instanceof StartQueryExecutionCommand)
            throw Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
          return client.send(command as never, options as never);
        },
      }) as Pick<AthenaClient, 'send'>;
    const lost = open(undefined, settings, failing('InternalServerException', 500));
    const slow = open(undefined, settings, failing('TooManyRequestsException', 400));

    await expect(lost.athena.ask(statement('SELECT 1'))).rejects.toMatchObject({ code: 'InternalServerException' });
    await expect(slow.athena.ask(statement('SELECT 1'))).rejects.toMatchObject({ code: 'TooManyRequestsException' });
    expect([lost.settled, slow.settled]).toEqual([[1e9], [0]]);
  });

  it('stops where the day or the case ends, whatever was estimated and one query may read', async () => {
    const greedy = {
      send: async (command: object, options?: object) =>
        command instanceof GetQueryExecutionCommand
          ? { QueryExecution: { Status: { State: 'RUNNING' }, Statistics: { DataScannedInBytes: 5e8 } } }
          : client.send(command as never, options as never),
    } as Pick<AthenaClient, 'send'>;
    const { athena, settled } = open(undefined, settings, greedy, { estimated: 1e7, left: 2e7 });

    await expect(athena.ask(statement('SELECT 1'))).rejects.toThrow('29 MiB is the limit');
    expect(settled).toEqual([5e8]);
  });

  it('that read nothing at all is no answer', async () => {
    await expect(open().athena.ask(statement('SELECT n FROM range(0) AS t(n)'))).rejects.toMatchObject({
      code: 'NothingRead',
    });
  });

  it('counts the places of its parameters as AWS does', async () => {
    const sql = 'SELECT eventname FROM firebreak.cloudtrail WHERE useridentity.arn = ? LIMIT 3';

    expect((await open().athena.ask(statement(sql, 10, ["'o''brien'"]))).rows).toEqual([]);
    await expect(open().athena.ask(statement(sql, 10, []))).rejects.toMatchObject({ code: 'InvalidRequestException' });
  });
});
