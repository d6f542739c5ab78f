/** Flow logs, query logs and sign-in logs by the user's door: a folder of files, and the lake that they were imported into. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openFolderNetwork } from '../../src/evidence/network/folder.ts';
import { networkGaps } from '../../src/evidence/network/gaps.ts';
import { openLakeNetwork } from '../../src/evidence/network/lake.ts';
import { quietLog } from '../fakes/quiet-log.ts';

const launcher = fileURLToPath(new URL('../../bin/firebreak.js', import.meta.url));
const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';
const start = Date.parse('2026-11-20T10:00:00Z') / 1000;

let folder: string;
let logs: string;

function flow(
  src: string,
  dst: string,
  sport: number,
  dport: number,
  bytes: number,
  minute: number,
  action = 'ACCEPT',
) {
  const at = start + minute * 60;
  return `2 111122223333 eni-0a1b2c3d4e5f60718 ${src} ${dst} ${sport} ${dport} 6 10 ${bytes} ${at} ${at + 59} ${action} OK`;
}

function query(name: string, minute: number) {
  return JSON.stringify({
    ...{ version: '1.100000', account_id: '111122223333', region: 'eu-west-1', vpc_id: 'vpc-0a1b2c3d' },
    ...{ query_timestamp: new Date((start + minute * 60) * 1000).toISOString(), query_name: name, query_type: 'A' },
    ...{ rcode: 'NOERROR', answers: [{ Rdata: '203.0.113.50', Type: 'A', Class: 'IN' }], srcaddr: '10.0.0.5' },
    srcids: { instance: 'i-0abcdef1234567890' },
  });
}

function firebreak(words: readonly string[], config = '{}'): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(folder, 'config.yml');
  writeFileSync(file, config);
  const { PATH = '', HOME = folder } = process.env;
  const env = { PATH, HOME, FIREBREAK_CONFIG: file, FIREBREAK_DATA_DIR: join(folder, 'data') };
  return new Promise((resolve) => {
    execFile(process.execPath, [launcher, ...words], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
  });
}

async function parquet(file: string, lines: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const db = await instance.connect();
  const text = join(folder, 'for-parquet.txt');
  writeFileSync(text, `${header.replaceAll('-', '_')}\n${lines.join('\n')}\n`);
  await db.run(`COPY (SELECT * FROM read_csv('${text}', delim = ' ', header = true)) TO '${file}' (FORMAT parquet)`);
  db.closeSync();
  instance.closeSync();
  rmSync(text);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firebreak-network-'));
  logs = join(folder, 'logs');
  mkdirSync(join(logs, 'deep', 'er'), { recursive: true });
  const text = [
    header,
    ...Array.from({ length: 30 }, (_, n) => flow('10.0.0.5', '203.0.113.50', 40000, 443, 100_000_000, n)),
    flow('203.0.113.50', '10.0.0.5', 443, 40000, 5_000, 1),
    flow('198.51.100.9', '10.0.0.5', 55555, 22, 40, 2, 'REJECT'),
    `2 111122223333 eni-0a1b2c3d4e5f60718 - - - - - - - ${start} ${start + 59} - NODATA`,
  ];
  writeFileSync(join(logs, 'deep', 'flows.log.gz'), gzipSync(text.join('\n')));
  await parquet(join(logs, 'deep', 'er', 'flows.parquet'), [flow('10.0.0.5', '203.0.113.51', 40001, 443, 7_000, 3)]);
  writeFileSync(join(logs, 'names.log'), [query('xmr.pool.minergate.com.', 1), query('Example.com.', 2)].join('\n'));
  const event = {
    ...{ eventVersion: '1.11', eventID: 'e-1', eventTime: '2026-11-20T10:00:00Z', eventSource: 'ec2.amazonaws.com' },
    ...{
      eventName: 'RunInstances',
      awsRegion: 'eu-west-1',
      sourceIPAddress: '203.0.113.99',
      recipientAccountId: '111122223333',
    },
    userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/mallory', accountId: '111122223333' },
    responseElements: {
      instancesSet: { items: [{ instanceId: 'i-0abcdef1234567890', privateIpAddress: '10.0.0.5' }] },
    },
  };
  writeFileSync(join(logs, 'trail.json'), JSON.stringify({ Records: [event] }));
});
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe('network logs of another time, account or Region', () => {
  const question = { addresses: ['10.0.0.5'], interfaces: [], instances: [] };
  const day = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
  const signal = new AbortController().signal;

  it.each<[string, { window?: typeof day; accounts?: string[]; regions?: string[] }, string]>([
    ['time', { window: { from: '2026-10-01T00:00:00Z', to: '2026-10-08T00:00:00Z' } }, 'the time asked for'],
    ['account', { accounts: ['999999999999'] }, 'account 999999999999'],
  ])('are no answer for that %s', async (_what, asked, words) => {
    const from = openFolderNetwork({ dir: logs, window: day, maxGroups: 100, log: quietLog, signal, ...asked });
    expect((await from.flows(question)).coverage).toMatchObject({
      complete: false,
      notLookedAt: [expect.stringContaining(words)],
    });
  });

  it('of a folder are whole for their own', async () => {
    const from = openFolderNetwork({ dir: logs, window: day, maxGroups: 100, log: quietLog, signal });
    expect((await from.flows(question)).coverage).toMatchObject({ complete: true, notLookedAt: [] });
  });

  it('are missing in the lake for each account by itself, and for Regions', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const of = (account: string, minute: number) =>
      flow('10.0.0.5', '203.0.113.50', 40000, 443, 1, minute).replace('111122223333', account);
    for (const [account, from, to] of [
      ['111122223333', 0, 120],
      ['444455556666', 60, 120],
    ] as const) {
      const dir = mkdtempSync(join(folder, 'import-'));
      const deep = join(dir, 'AWSLogs', account, 'vpcflowlogs', 'eu-west-1', '2026', '11', '20');
      mkdirSync(deep, { recursive: true });
      const lines = Array.from({ length: to - from }, (_, n) => of(account, from + n));
      writeFileSync(join(deep, 'a.log.gz'), gzipSync([header, ...lines].join('\n')));
      // Each in an import of its own.
      await firebreak(['import', dir]);
    }
    const hour = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T12:00:00Z' };
    const gaps = async (accounts: string[], regions?: string[]) =>
      networkGaps('flows', { dataDir: join(folder, 'data'), window: hour, accounts, regions });
    expect(await gaps(['111122223333'], ['eu-west-1'])).toEqual([]);
    expect(await gaps(['444455556666'])).toEqual([
      'VPC flow logs of account 444455556666: 2026-11-20T10:00:00Z to 2026-11-20T11:00:00Z is not in the lake',
    ]);
    expect(await gaps(['111122223333'], ['us-east-1'])).toEqual(['VPC flow logs of Region us-east-1: not in the lake']);
  });
});

describe('network logs as AWS and people lay them out', { timeout: 60_000 }, () => {
  const ask = async (dir: string, address = '10.0.0.5', more: readonly string[] = []) =>
    JSON.parse((await firebreak(['ir', 'flows', address, '--logs', dir, '--json', ...more])).stdout);

  it('have their Region from hive-style paths and from the names of files, in the lake too', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const dir = mkdtempSync(join(folder, 'hive-'));
    const hive =
      'AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=cn-north-1/year=2026/month=11/day=20';
    mkdirSync(join(dir, hive, 'hour=10'), { recursive: true });
    await parquet(join(dir, hive, 'hour=10', 'a.log.parquet'), [
      flow('10.0.0.5', '203.0.113.51', 40001, 443, 7_000, 3),
    ]);
    const name = '111122223333_vpcflowlogs_eu-west-1_fl-1234abcd_20261120T1000Z_fe123456.log.gz';
    writeFileSync(join(dir, name), gzipSync([header, flow('10.0.0.5', '203.0.113.52', 40001, 443, 50, 4)].join('\n')));

    const regions = ({ conversations }: { conversations: { peer: string; region: string }[] }) =>
      conversations.map(({ peer, region }) => [peer, region]);
    expect(regions(await ask(dir))).toEqual([
      ['203.0.113.51', 'cn-north-1'],
      ['203.0.113.52', 'eu-west-1'],
    ]);
    expect(regions(await ask(dir, '10.0.0.5', ['--regions', 'eu-west-1']))).toEqual([['203.0.113.52', 'eu-west-1']]);
    await firebreak(['import', dir]);
    const day = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
    const gaps = await networkGaps('flows', { dataDir: join(folder, 'data'), window: day, regions: ['us-east-1'] });
    expect(gaps).toContain('VPC flow logs of Region us-east-1: not in the lake');
  });

  it('count once where a file is there twice, by another name or packed', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const dir = mkdtempSync(join(folder, 'twice-'));
    const line = flow('10.0.0.5', '203.0.113.51', 40001, 443, 7_000, 3);
    writeFileSync(join(dir, 'a.log'), [header, line].join('\n'));
    writeFileSync(join(dir, 'b.log.gz'), gzipSync([header, line].join('\n')));
    writeFileSync(join(dir, 'export'), `2026-11-20T10:03:59.000Z ${line}\n`);
    // Without ports two lines may be alike and two flows.
    const short = `eni-0a1b2c3d4e5f60718 10.0.0.5 203.0.113.60 20 ${start}`;
    writeFileSync(join(dir, 'short.log'), `interface-id srcaddr dstaddr bytes start\n${short}\n${short}\n`);
    expect(await ask(dir)).toMatchObject({ flows: 3, bytesOut: 7_040 });

    await firebreak(['import', dir]);
    const window = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
    const signal = new AbortController().signal;
    const lake = openLakeNetwork({ dataDir: join(folder, 'data'), window, maxGroups: 100, log: quietLog, signal });
    const { groups } = await lake.flows({ addresses: ['10.0.0.5'], interfaces: [], instances: [] });
    expect(groups.map(({ flows, bytes }) => [flows, bytes])).toEqual([
      [1, 7_000],
      [2, 40],
    ]);
  });

  it('tell the days between that were not brought along, and Regions of an account, in the lake too', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const dir = mkdtempSync(join(folder, 'holes-'));
    const put = (account: string, region: string, minute: number) => {
      const to = join(dir, 'AWSLogs', account, 'vpcflowlogs', region, '2026', '11');
      mkdirSync(to, { recursive: true });
      const own = region === 'eu-west-1' ? 'eni-0aaaaaaa' : 'eni-0bbbbbbb';
      const line = flow('10.0.0.5', '203.0.113.51', 40001, 443, 1, minute)
        .replace('111122223333', account)
        .replace(/eni-\w+/, own);
      writeFileSync(join(to, `${minute}.log`), [header, line].join('\n'));
    };
    for (const day of [0, 1, 4]) put('111122223333', 'eu-west-1', day * 1440);
    for (const day of [0, 1, 2, 3, 4]) put('111122223333', 'us-east-1', day * 1440);
    for (const day of [0, 4]) put('444455556666', 'us-east-1', day * 1440);

    const answer = await ask(dir);
    expect(answer.coverage).toMatchObject({
      complete: false,
      notLookedAt: ['account 444455556666: 2026-11-21T00:00:00Z to 2026-11-24T00:00:00Z: there are no logs of it here'],
    });
    await firebreak(['import', dir]);
    const window = { from: '2026-11-20T10:00:00Z', to: '2026-11-24T10:00:00Z' };
    const gaps = (accounts: string[], regions?: string[]) =>
      networkGaps('flows', { dataDir: join(folder, 'data'), window, accounts, regions });
    expect(await gaps(['111122223333'])).toEqual([]);
    expect(await gaps(['111122223333'], ['us-east-1', 'eu-west-1'])).toEqual([
      'VPC flow logs of account 111122223333 in Region eu-west-1: 2026-11-22T00:00:00Z to 2026-11-24T00:00:00Z is not in the lake',
    ]);
    expect(await gaps(['444455556666'])).toEqual([
      'VPC flow logs of account 444455556666: 2026-11-21T00:00:00Z to 2026-11-24T00:00:00Z is not in the lake',
    ]);
  });

  it('are query logs too as CloudWatch exports them, and flow logs with a byte order mark', async () => {
    const dir = mkdtempSync(join(folder, 'exported-'));
    const line = (name: string, minute: number) => `2026-11-20T10:05:00.000Z ${query(name, minute)}`;
    writeFileSync(join(dir, '000000.gz'), gzipSync([line('a.example.', 1), line('b.example.', 2)].join('\n')));
    writeFileSync(join(dir, 'bom.log'), `\uFEFF${header}\n${flow('10.0.0.5', '203.0.113.51', 40001, 443, 9, 3)}\n`);
    const names = JSON.parse((await firebreak(['ir', 'dns', '10.0.0.5', '--logs', dir, '--json'])).stdout);

    expect(names.lookups.map(({ queryName }: { queryName: string }) => queryName).sort()).toEqual([
      'a.example',
      'b.example',
    ]);
    expect(names.coverage).toMatchObject({ complete: true, badFiles: [] });
    expect(await ask(dir)).toMatchObject({ bytesOut: 9, coverage: { complete: true, badFiles: [] } });
  });
});

describe('a folder of network logs', { timeout: 60_000 }, () => {
  it('answers who an instance talked to, by the address that CloudTrail knows', async () => {
    const { code, stdout } = await firebreak(['ir', 'flows', 'i-0abcdef1234567890', '--logs', logs, '--json']);
    const answer = JSON.parse(stdout);

    expect(code).toBe(0);
    expect(answer.addresses).toEqual(['10.0.0.5']);
    expect(answer.conversations.map(({ peer }: { peer: string }) => peer)).toEqual([
      '203.0.113.50',
      '203.0.113.51',
      '198.51.100.9',
    ]);
    expect(answer.conversations[0]).toMatchObject({
      bytesOut: 3_000_000_000,
      bytesIn: 5_000,
      port: 443,
      portOf: 'peer',
    });
    expect(answer.conversations[2]).toMatchObject({ accepted: 0, rejected: 1 });
    expect(answer.outflows).toEqual([expect.objectContaining({ peer: '203.0.113.50' })]);
    expect(answer.coverage).toMatchObject({ complete: true, badFiles: [] });
  });

  it('is not whole where only another interface logged what its private address sent', async () => {
    const dir = mkdtempSync(join(folder, 'left-out-'));
    const item = {
      ...{ instanceId: 'i-0abcdef1234567890', privateIpAddress: '10.0.0.5' },
      networkInterfaceSet: {
        items: [{ networkInterfaceId: 'eni-0a1b2c3d4e5f60718', privateIpAddress: '10.0.0.5' }],
      },
    };
    const [record] = JSON.parse(readFileSync(join(logs, 'trail.json'), 'utf8')).Records;
    writeFileSync(
      join(dir, 'trail.json'),
      JSON.stringify({ Records: [{ ...record, responseElements: { instancesSet: { items: [item] } } }] }),
    );
    // Its own flow log holds rejects alone, as one of that filter does.
    const own = flow('198.51.100.9', '10.0.0.5', 55555, 22, 40, 2, 'REJECT');
    const atGateway = flow('10.0.0.5', '203.0.113.51', 40001, 443, 3_000_000_000, 3).replace(
      'eni-0a1b2c3d4e5f60718',
      'eni-0b1b2c3d4e5f60718',
    );
    writeFileSync(join(dir, 'a.log'), [header, own, atGateway].join('\n'));

    const { code, stdout } = await firebreak(['ir', 'flows', 'i-0abcdef1234567890', '--logs', dir, '--json']);

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      leftOut: { bytes: 3_000_000_000, interfaces: ['eni-0b1b2c3d4e5f60718'] },
      coverage: {
        complete: false,
        notLookedAt: expect.arrayContaining([expect.stringContaining('they may be its own')]),
      },
    });
  });

  it('leaves the window to the flags', async () => {
    const { stdout } = await firebreak([
      ...['ir', 'flows', '10.0.0.5', '--logs', logs, '--json'],
      ...['--since', '2026-11-20T10:10:00Z', '--until', '2026-11-20T10:12:00Z'],
    ]);

    expect(JSON.parse(stdout)).toMatchObject({ flows: 2, bytesOut: 200_000_000 });
  });

  it('says what of an address outside was to it and from it, and in which networks', async () => {
    const dir = mkdtempSync(join(folder, 'networks-'));
    const out = flow('10.0.0.5', '203.0.113.51', 40001, 443, 3_000_000_000, 0);
    const other = out.replace('111122223333', '444455556666').replace('eni-0a1b2c3d4e5f60718', 'eni-0b1b2c3d4e5f60718');
    const unknown = flow('10.0.0.8', '203.0.113.51', 40001, 443, 7_000, 1).replace('111122223333', 'unknown');
    writeFileSync(join(dir, 'a.log'), [header, out, other, unknown].join('\n'));
    const ask = (...words: string[]) => firebreak(['ir', 'flows', ...words, '--logs', dir]);

    const outside = await ask('203.0.113.51', '--accounts', '111122223333,444455556666');
    expect(outside.stdout).toContain('talked to 2 addresses, 5.6 GiB to it, 0 bytes from it; unusual: 2.8 GiB');
    expect(outside.stdout).toContain('203.0.113.51 and 10.0.0.5 (private) in 444455556666');
    expect((await ask('10.0.0.5')).stdout).toContain('in 2 networks that may each have a machine of that address');
  });

  it('says what it needs of an instance although its flow logs name it, and which of its places have none', async () => {
    const dir = mkdtempSync(join(folder, 'named-'));
    const named = `i-0abcdef1234567890 10.0.0.5 203.0.113.9 5000 ${start} ${start + 59}`;
    writeFileSync(join(dir, 'a.log'), `instance-id srcaddr dstaddr bytes start end\n${named}\n`);
    const ask = async () =>
      JSON.parse((await firebreak(['ir', 'flows', 'i-0abcdef1234567890', '--logs', dir, '--json'])).stdout);
    const alone = await ask();
    expect(alone).toMatchObject({ flows: 1, coverage: { complete: false } });
    expect(alone.coverage.notLookedAt).toContainEqual(expect.stringContaining('neither CloudTrail nor EC2 told them'));

    rmSync(join(dir, 'a.log'));
    const deep = join(dir, 'AWSLogs', '111122223333', 'vpcflowlogs', 'us-east-1', '2026', '11', '20');
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'a.log'), [header, flow('10.1.0.5', '203.0.113.9', 1, 2, 3, 4)].join('\n'));
    cpSync(join(logs, 'trail.json'), join(dir, 'trail.json'));
    expect((await ask()).coverage).toMatchObject({
      complete: false,
      notLookedAt: expect.arrayContaining([
        'VPC flow logs of 111122223333 eu-west-1, where the instance was seen: none were found',
      ]),
    });
  });

  it('names flow logs that it cannot read, in a format of their own without a header, when they are imported too', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const dir = mkdtempSync(join(folder, 'formatless-'));
    writeFileSync(join(dir, 'a.log'), [header, flow('10.0.0.5', '203.0.113.51', 40001, 443, 7_000, 1)].join('\n'));
    writeFileSync(join(dir, 'own.log'), `5 vpc-0a1b2c3d eni-0a1b2c3d 10.0.0.5 203.0.113.9 ${start} ACCEPT OK\n`);
    // As `aws logs filter-log-events` prints them.
    const events = (message: string) => JSON.stringify({ events: [{ logStreamName: 'a', timestamp: 1, message }] });
    writeFileSync(join(dir, 'flows.json'), events(flow('10.0.0.5', '203.0.113.52', 40001, 443, 7_000, 1)));
    writeFileSync(join(dir, 'names.json'), events(query('a.example.', 1)));
    writeFileSync(
      join(dir, 'never.log'),
      query('a.example.', 1).replace(/"query_timestamp":"[^"]*"/, '"query_timestamp":"never"'),
    );
    writeFileSync(join(dir, 'later.log'), ['', header, flow('10.0.0.5', '203.0.113.53', 40001, 443, 1, 1)].join('\n'));
    const bad = [
      { path: 'flows.json', reason: expect.stringContaining('CloudWatch Logs within JSON') },
      { path: 'own.log', reason: expect.stringContaining('without a line that names their fields') },
    ];
    const answer = JSON.parse((await firebreak(['ir', 'flows', '10.0.0.5', '--logs', dir, '--json'])).stdout);
    expect(answer).toMatchObject({ flows: 2, coverage: { complete: false, badFiles: bad } });
    const names = JSON.parse((await firebreak(['ir', 'dns', 'a.example', '--logs', dir, '--json'])).stdout);
    expect(names.coverage.badFiles.map(({ path }: { path: string }) => path)).toEqual(['names.json', 'never.log']);
    const imported = JSON.parse((await firebreak(['import', dir, '--json'])).stdout);
    expect(imported.network.flows).toBe(2);
    expect(imported.network.bad.map(({ path }: { path: string }) => path).sort()).toEqual([
      'flows.json',
      'names.json',
      'never.log',
      'own.log',
    ]);
  });

  it('counts an interval that began before the window and lasted into it, from the lake too', async () => {
    onTestFinished(() => rmSync(join(folder, 'data'), { recursive: true, force: true }));
    const dir = mkdtempSync(join(folder, 'lasting-'));
    // Ten minutes, as AWS gathers them unless told otherwise.
    const lasting = flow('10.0.0.5', '203.0.113.51', 40001, 443, 7_000, 0).replace(`${start + 59}`, `${start + 600}`);
    const before = flow('10.0.0.5', '203.0.113.51', 40001, 443, 900, 1).replace(`${start + 119}`, `${start + 180}`);
    writeFileSync(join(dir, 'a.log'), [header, lasting, before].join('\n'));
    const window = { from: '2026-11-20T10:03:00Z', to: '2026-11-20T10:06:00Z' };
    const words = ['ir', 'flows', '10.0.0.5', '--logs', dir, '--json', '--since', window.from, '--until', window.to];
    expect(JSON.parse((await firebreak(words)).stdout)).toMatchObject({
      ...{ flows: 1, bytesOut: 7_000, coverage: { complete: true } },
    });

    await firebreak(['import', dir, '--since', window.from]);
    const signal = new AbortController().signal;
    const lake = openLakeNetwork({ dataDir: join(folder, 'data'), window, maxGroups: 100, log: quietLog, signal });
    const { groups } = await lake.flows({ addresses: ['10.0.0.5'], interfaces: [], instances: [] });
    expect(groups.map(({ bytes }) => bytes)).toEqual([7_000]);
  });

  it('does not hold network logs against an answer from CloudTrail', async () => {
    const { code, stdout } = await firebreak(['ir', 'pivot', 'i-0abcdef1234567890', '--logs', logs, '--json']);

    expect(code).toBe(0);
    expect(JSON.parse(stdout).coverage.badFiles).toEqual([]);
  });

  it('puts people behind the addresses of a pivot, from the sign-in logs of the config', async () => {
    const vpn = join(folder, 'vpn.csv');
    writeFileSync(
      vpn,
      'who;ip;since;until\n"Doe, Jane";203.0.113.99;2026-11-20 09:00:00;2026-11-20 11:00:00\nbob;192.0.2.1;x;\n',
    );
    const config = `signInLogs: [{name: vpn, path: ${vpn}, person: who, address: ip, from: since, to: until}]`;
    const { code, stdout } = await firebreak(['ir', 'pivot', '203.0.113.99', '--logs', logs, '--json'], config);
    const answer = JSON.parse(stdout);

    expect(answer.people).toEqual([expect.objectContaining({ person: 'Doe, Jane', match: 'at-the-time', log: 'vpn' })]);
    // The line that could not be read is told.
    expect([code, answer.coverage.notLookedAt.join()]).toEqual([3, expect.stringContaining('1 of 2 lines')]);
  });

  it('says that nothing is known where there are no such logs, and what was broken', async () => {
    const other = join(folder, 'other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'trail.json'), '{"Records":[]}');
    const none = await firebreak(['ir', 'flows', '10.0.0.5', '--logs', other, '--json']);
    expect(none.code).toBe(3);
    expect(JSON.parse(none.stdout).coverage).toMatchObject({
      complete: false,
      notLookedAt: [expect.stringContaining('no VPC flow logs')],
    });

    const cut = join(other, 'cut.log.gz');
    const lines = Array.from({ length: 3000 }, (_, n) =>
      flow('10.0.0.5', `203.0.113.${n % 250}`, 40000 + n, 443, n * 7919, n),
    );
    const bytes = gzipSync([header, ...lines].join('\n'));
    writeFileSync(cut, bytes);
    truncateSync(cut, Math.floor(bytes.length / 2));
    const half = await firebreak(['ir', 'flows', '10.0.0.5', '--logs', other, '--json']);
    const answer = JSON.parse(half.stdout);
    expect(half.code).toBe(3);
    expect(answer.flows).toBeGreaterThan(100);
    expect(answer.coverage.badFiles).toEqual([
      { path: 'cut.log.gz', reason: expect.stringContaining('truncated gzip') },
    ]);
  });

  it('is imported into the lake once, and gives the same groups there', async () => {
    const first = await firebreak(['import', logs, '--json']);
    const again = await firebreak(['import', logs, '--json']);
    expect(JSON.parse(first.stdout).network).toMatchObject({ flows: 33, lookups: 2, bad: [] });
    expect(JSON.parse(again.stdout).network).toMatchObject({ flows: 0, lookups: 0 });
    expect([first.code, again.code]).toEqual([0, 0]);

    const window = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T10:30:00Z' };
    const { signal } = new AbortController();
    const base = { window, maxGroups: 1000, log: quietLog, signal };
    const fromFolder = openFolderNetwork({ ...base, dir: logs });
    const fromLake = openLakeNetwork({ ...base, dataDir: join(folder, 'data') });
    const asked = { addresses: ['10.0.0.5'], interfaces: [], instances: [] };
    const names = { addresses: [], instances: ['i-0abcdef1234567890'], vpcs: [], domains: ['minergate.com'] };
    const sorted = (groups: readonly object[]) =>
      groups.map((group) => JSON.stringify(Object.entries(group).sort())).sort();

    const [a, b] = [await fromFolder.flows(asked), await fromLake.flows(asked)];
    const [c, d] = [await fromFolder.lookups(names), await fromLake.lookups(names)];
    expect(sorted(b.groups)).toEqual(sorted(a.groups));
    expect(a.groups).toHaveLength(4);
    expect(sorted(d.groups)).toEqual(sorted(c.groups));
    expect(c.groups).toHaveLength(2);
    expect(b.coverage).toMatchObject({ complete: true, notLookedAt: [] });
    expect(d.coverage.complete).toBe(false);
  });

  it('keeps all rows of a file of which an import asks for some, and leaves the others for the next', async () => {
    const dir = join(folder, 'days');
    mkdirSync(dir);
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const nextDay = 24 * 60;
    const both = [0, nextDay].map((minute) => flow('10.0.0.5', '203.0.113.50', 40000, 443, 100, minute));
    writeFileSync(join(dir, 'both.log'), [header, ...both].join('\n'));
    writeFileSync(join(dir, 'before.log'), [header, flow('10.0.0.5', '203.0.113.51', 40000, 443, 100, 5)].join('\n'));
    writeFileSync(join(dir, 'names.log'), [query('example.com.', 5), query('example.org.', nextDay)].join('\n'));
    const run = async (...flags: string[]) => {
      const { stdout } = await firebreak(['import', dir, '--json', ...flags]);
      return (JSON.parse(stdout) as { network: object }).network;
    };
    expect(await run('--since', '2026-11-21T00:00:00Z')).toMatchObject({ flows: 2, lookups: 2, skipped: 1 });
    expect(await run('--accounts', '999988887777')).toMatchObject({ flows: 0, lookups: 0 });
    expect(await run()).toMatchObject({ flows: 1, lookups: 0 });
    expect(await run()).toMatchObject({ flows: 0, lookups: 0 });
  });
});
