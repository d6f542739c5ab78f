import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../../src/contracts/artifact.ts';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { searchIn } from '../../../../src/domain/text-search.ts';
import { listFiles } from '../../../../src/evidence/folder.ts';
import { openScanEvidence } from '../../../../src/evidence/scan.ts';
import { pivot } from '../../../../workflows/investigation/pivot.ts';
import { folderOf, quiet, sample, sessionSample } from '../samples.ts';
import { artifactsOf, contents, importFolder, openFolder, openLake, tempDir } from './lakes.ts';
import { oddRecord } from './odd-records.ts';

const shared = resolve(import.meta.dirname, '../../../../../shared/data/cloudtrail');

function recordsOf(values: readonly unknown[]): CloudTrailRecord[] {
  return values.flatMap((value) => {
    const parsed = parseRecord(value);
    return parsed.ok ? [parsed.record] : [];
  });
}

async function expectSame(dir: string, dataDir: string, artifacts: readonly Artifact[]): Promise<void> {
  const [folder, lake] = [await openFolder(dir), await openLake(dataDir)];
  const { files, unreadable } = await listFiles(dir);
  const all = { dir, window: {}, maxEvents: 1_000_000, log: quiet, files, unreadable };
  let scan = openScanEvidence(all);
  for (const artifact of artifacts) {
    expect(contents(await scan.recordsOf(artifact)), `scan: ${artifact.kind} ${artifact.id}`).toEqual(
      contents(await folder.recordsOf(artifact)),
    );
    // Some questions make it read everything, and the next one must not profit from that.
    if (artifact.kind === 'account' || artifact.id.includes(':')) scan = openScanEvidence(all);
    expect(contents(await lake.recordsOf(artifact)), `${artifact.kind} ${artifact.id}`).toEqual(
      contents(await folder.recordsOf(artifact)),
    );
  }
}

const packing = fc.constantFrom<(records: readonly unknown[]) => Buffer>(
  (records) => Buffer.from(JSON.stringify({ Records: records })),
  (records) => gzipSync(JSON.stringify({ Records: records })),
  (records) => Buffer.from(`${records.map((record) => JSON.stringify(record)).join('\n')}\n`),
  (records) => gzipSync(`${JSON.stringify(records)}\n`),
  (records) => Buffer.from(JSON.stringify({ Records: records }, undefined, 1)),
  (records) =>
    Buffer.from(JSON.stringify({ Events: records.map((record) => ({ CloudTrailEvent: JSON.stringify(record) })) })),
);

describe('the lake answers as the folder does', () => {
  it('for every artifact of odd records in any form, whatever the files that they lie in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(packing, fc.array(oddRecord, { minLength: 1, maxLength: 6 })), {
          minLength: 1,
          maxLength: 4,
        }),
        async (files) => {
          const dir = await folderOf(
            Object.fromEntries(files.map(([pack, records], i) => [`f${i}.json${i % 2 ? '.gz' : ''}`, pack(records)])),
          );
          const dataDir = await tempDir();
          await importFolder(dir, dataDir);
          await expectSame(dir, dataDir, artifactsOf(recordsOf(files.flatMap(([, records]) => records))));
          const [folder, lake] = [await openFolder(dir), await openLake(dataDir)];
          for (const text of ['alice', 'ALICE', 'ops', '"userName"', 'zoë', 'FwoG', 'aws-cli', '\u0000', 'nowhere'])
            expect(contents((await searchIn(lake, text)) ?? []), text).toEqual(
              contents((await searchIn(folder, text)) ?? []),
            );
        },
      ),
      { numRuns: 20 },
    );
  });

  it('for names to which AWS adds something, asked for with the addition and without', async () => {
    const place = 'eu-west-1:111122223333';
    const secret = `arn:aws:secretsmanager:${place}:secret:prod/db`;
    const stack = `arn:aws:cloudformation:${place}:stack/shop`;
    const group = (id: string) => `arn:aws:autoscaling:${place}:${id}autoScalingGroupName/web`;
    const named = [
      { secretId: 'prod/db' },
      { secretId: secret },
      { secretId: `${secret}-AbCdEf` },
      { secretId: `${secret}-ZyXwVu` },
      { secretId: 'prod/db2' },
      { stackName: 'shop' },
      { stackId: `${stack}/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f` },
      { stackName: `${stack}/aaaaaaaa-c6b1-11ef-9d6c-0a1b2c3d4e5f` },
      { autoScalingGroupName: 'web' },
      { resourceArn: group('autoScalingGroup:6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f:') },
    ];
    const sources = ['secretsmanager', 'cloudformation', 'autoscaling'];
    const records = named.map((requestParameters, n) =>
      sample({
        user: 'alice',
        ip: '198.51.100.7',
        extra: {
          eventID: `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`,
          eventSource: `${sources[n < 5 ? 0 : n < 8 ? 1 : 2]}.amazonaws.com`,
          awsRegion: 'eu-west-1',
          requestParameters,
        },
      }),
    );
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: records }) });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const folder = await openFolder(dir);
    const found = async (id: string) =>
      (await folder.recordsOf({ kind: 'resource', id })).map(({ eventID }) => Number(eventID.slice(-4))).sort();

    expect(await found(secret)).toEqual([0, 1, 2, 3]);
    expect(await found(`${secret}-AbCdEf`)).toEqual([0, 1, 2]);
    expect(await found(stack)).toEqual([5, 6, 7]);
    expect(await found(`${stack}/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f`)).toEqual([5, 6]);
    expect(await found(group(''))).toEqual([8, 9]);
    expect(await found(group('autoScalingGroup:6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f:'))).toEqual([8, 9]);
    const short = [secret, stack, group('')].map((id): Artifact => ({ kind: 'resource', id }));
    await expectSame(dir, dataDir, [...artifactsOf(recordsOf(records)), ...short]);
  });

  it('for records that nobody parses, and for those around them', async () => {
    const plain = Array.from({ length: 50 }, (_, i) => sample({ user: `user-${i % 5}`, ip: `198.51.100.${i % 3}` }));
    const dir = await folderOf({
      'a.json.gz': gzipSync(JSON.stringify({ Records: plain })),
      'b.json': plain.map((record) => JSON.stringify({ ...record, eventID: `x-${String(record.eventID)}` })).join('\n'),
      'two-documents.json': `${JSON.stringify({ Records: [sample({ user: 'first' })] })}${JSON.stringify({ Records: [sample({ user: 'second' })] })}`,
      'new-field.json': JSON.stringify({ Records: [sample({ user: 'new', extra: { brandNew: { x: 1 } } })] }),
      'twice.json': JSON.stringify({ Records: [sample({ user: 'dup' })] }).replace(
        '"eventName":',
        '"eventName":"Old","eventName":',
      ),
      'nan.json': JSON.stringify({ Records: [sample({ user: 'nan' })] }).replace('"readOnly":true', '"readOnly":NaN'),
    });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const users = ['user-0', 'first', 'second', 'new', 'dup', 'nan'];
    const artifacts = users.map((user) => ({ kind: 'user' as const, id: `arn:aws:iam::111122223333:user/${user}` }));
    await expectSame(dir, dataDir, [...artifacts, ...artifactsOf(recordsOf(plain))]);
  });

  it('and a closed pivot is the same from both', async () => {
    const records = [
      sample({ user: 'alice', ip: '198.51.100.1' }),
      sample({ user: 'bob', ip: '198.51.100.1' }),
      sample({
        user: 'bob',
        ip: '198.51.100.2',
        name: 'CreateUser',
        extra: {
          readOnly: false,
          eventSource: 'iam.amazonaws.com',
          requestParameters: { userName: 'eve' },
          responseElements: { user: { userName: 'eve', arn: 'arn:aws:iam::111122223333:user/eve' } },
        },
      }),
      sample({ user: 'eve', ip: '198.51.100.3' }),
      sessionSample('i-0123456789abcdef0', { ip: '198.51.100.3' }),
    ];
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: records }) });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const run = async (evidence: Awaited<ReturnType<typeof openLake | typeof openFolder>>) => {
      const report = await pivot.run(pivot.target.parse({ artifact: 'arn:aws:iam::111122223333:user/alice' }), {
        evidence,
        aws: undefined,
        signal: new AbortController().signal,
        progress: () => undefined,
        now: () => new Date('2026-11-21T00:00:00Z'),
      });
      const { nodes, edges, events } = report.answer;
      return { nodes, edges, events };
    };
    const fromLake = await run(await openLake(dataDir));
    expect(fromLake).toEqual(await run(await openFolder(dir)));
    expect(fromLake.nodes.map((node) => node.id)).toContain('arn:aws:iam::111122223333:user/eve');
  });
});

describe.skipIf(!existsSync(shared))(
  'public samples through the lake (skipped where the data folder is absent)',
  () => {
    it.each(['otrf', 'stratus-red-team', 'traildiscover-samples', 'aws-docs', 'permiso-console-sessions'])(
      '%s: the same records for every artifact',
      { timeout: 300_000 },
      async (name) => {
        const dir = join(shared, name);
        const dataDir = await tempDir();
        const result = await importFolder(dir, dataDir);
        expect(result.bad).toEqual([]);
        const lake = await openLake(dataDir);
        const everything = await lake.recordsOf({ kind: 'resource', id: '/' });
        expect(everything).toEqual([]);
        const folder = await openFolder(dir);
        const seeds = ['arn:aws:iam::123456789123:user/pedro'].map((id) => ({ kind: 'user' as const, id }));
        const events = lake.progress().eventsRead;
        expect(events).toBe(folder.progress().eventsRead);
        const accounts = folder.coverage().accounts.map((id) => ({ kind: 'account' as const, id }));
        const all = new Map<string, Artifact>();
        for (const artifact of accounts) {
          for (const one of artifactsOf(await folder.recordsOf(artifact))) all.set(one.id, one);
        }
        const asked = [...seeds, ...accounts, ...[...all.values()].slice(0, 400)];
        await expectSame(dir, dataDir, asked);
      },
    );
  },
);

describe('windows, accounts and Regions', () => {
  it('are kept to, half-open', async () => {
    const records = [
      sample({ user: 'a', at: '2026-11-20T00:00:00Z' }),
      sample({ user: 'a', at: '2026-11-20T12:00:00Z', region: 'us-east-1' }),
      sample({ user: 'a', at: '2026-11-21T00:00:00Z', account: '444455556666' }),
    ];
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: records }) });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const ip = { kind: 'ip' as const, id: '198.51.100.7' };
    const count = async (more: Parameters<typeof openLake>[1]) =>
      (await (await openLake(dataDir, more)).recordsOf(ip)).length;
    expect(await count({})).toBe(3);
    expect(await count({ window: { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' } })).toBe(2);
    expect(await count({ regions: ['us-east-1'] })).toBe(1);
    expect(await count({ accounts: ['444455556666'] })).toBe(1);
    expect(await count({ window: { from: '2027-01-01T00:00:00Z' } })).toBe(0);
  });

  it('that the lake does not cover are not looked at, and the answer is not complete', async () => {
    const dir = await folderOf({
      'a.json': JSON.stringify({
        Records: [sample({ at: '2026-11-20T00:00:00Z' }), sample({ at: '2026-11-20T12:00:00Z' })],
      }),
    });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const inside = await openLake(dataDir, { window: { from: '2026-11-20T01:00:00Z', to: '2026-11-20T11:00:00Z' } });
    expect(inside.coverage()).toMatchObject({
      complete: true,
      notLookedAt: [],
      sources: [{ name: 'CloudTrail lake' }],
    });
    const beyond = await openLake(dataDir, { window: { from: '2026-11-19T00:00:00Z', to: '2026-11-20T11:00:00Z' } });
    expect(beyond.coverage()).toMatchObject({
      complete: false,
      notLookedAt: ['account 111122223333: 2026-11-19T00:00:00Z to 2026-11-20T00:00:00Z is not in the lake'],
    });
    const other = await openLake(dataDir, { accounts: ['999999999999'] });
    expect(other.coverage()).toMatchObject({ complete: false, notLookedAt: ['account 999999999999: not in the lake'] });
  });

  it('a cap is told', async () => {
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: [sample(), sample(), sample()] }) });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const capped = await openLake(dataDir, { maxEvents: 2 });
    expect(await capped.recordsOf({ kind: 'ip', id: '198.51.100.7' })).toHaveLength(2);
    expect(capped.coverage()).toMatchObject({ complete: false, sources: [{ truncated: true }] });
    const exact = await openLake(dataDir, { maxEvents: 3 });
    expect(await exact.recordsOf({ kind: 'ip', id: '198.51.100.7' })).toHaveLength(3);
    expect(exact.coverage().complete).toBe(true);
  });
});

describe('secrets', () => {
  it('reach no file of the lake, by whichever way the record came', async () => {
    const token = `IQoJb3JpZ2luX2Vj${'Zm9vYmFy'.repeat(20)}`;
    const secrets = [
      { responseElements: { credentials: { accessKeyId: 'ASIAQNZGKIQY56JQ7WML', sessionToken: token } } },
      { responseElements: { credentials: { sessionToken: 'arn-less but secret value' } } },
      { requestParameters: { masterUserPassword: 'hunter2hunter2', kms: { privateKey: 'MIIEabcdefgh' } } },
      { requestParameters: { 'sess\u0069onToken': `sly${token}` } },
      { userAgent: `curl xoxb-1234567890-abcdefghijkl` },
      { errorMessage: `bad AWS_SECRET=${'A1b2C3d4E5'.repeat(4)} given` },
      { additionalEventData: { url: `https://x/?X-Amz-Security-Token=${token}` } },
      { requestParameters: `{"password":"stringified-hunter3"}` },
      {
        tlsDetails: { note: 'https://user:swordfish@host/' },
        requestID: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln`,
      },
      { requestParameters: { secretString: { inner: 'deep-secret-value' }, secretArn: 'arn:aws:secretsmanager:x' } },
    ];
    const records = secrets.map((extra) => sample({ user: 'thief', extra }));
    const escaped = JSON.stringify({ Records: records }).replaceAll('sessionToken":"sly', 'sess\\u0069onToken":"sly');
    const dir = await folderOf({
      'plain.json.gz': gzipSync(escaped),
      'careful.json': JSON.stringify(
        records.map((record) => ({ ...record, eventID: `c${String(record.eventID)}` })),
        undefined,
        2,
      ),
    });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    const lake = await openLake(dataDir);
    const kept = await lake.recordsOf({ kind: 'user', id: 'arn:aws:iam::111122223333:user/thief' });
    expect(kept).toHaveLength(20);
    const told = JSON.stringify(kept);
    const never = [
      'Zm9vYmFy',
      'hunter2',
      'hunter3',
      'MIIE',
      'xoxb',
      'A1b2C3',
      'eyJhbGci',
      'swordfish',
      'deep-secret',
      'arn-less',
    ];
    for (const secret of never) expect(told, secret).not.toContain(secret);
    await expectSame(dir, dataDir, artifactsOf(kept));

    const { DuckDBInstance } = await import('@duckdb/node-api');
    const db = await (await DuckDBInstance.create(':memory:')).connect();
    const shards = join(dataDir, 'lake', 'shards');
    for (const name of await readdir(shards)) {
      const text = name.endsWith('.parquet')
        ? JSON.stringify((await db.runAndReadAll(`SELECT * FROM '${join(shards, name)}'`)).getRowsJson())
        : await readFile(join(shards, name), 'utf8');
      for (const secret of never) expect(text, `${name} ${secret}`).not.toContain(secret);
    }
    expect(await readdir(join(dataDir, 'lake'))).toEqual(['runs', 'shards']);
  });
});
