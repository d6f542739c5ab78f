import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { UserError } from '../../src/contracts/errors.ts';
import { folderSource } from '../../src/evidence/lake/folder-source.ts';
import { artifactsOf, contents, importFolder, openFolder, openLake, tempDir } from '../src/evidence/lake/lakes.ts';
import { folderOf, sample } from '../src/evidence/samples.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const account = '111122223333';

function logOf(records: readonly unknown[]): Buffer {
  return gzipSync(JSON.stringify({ Records: records }));
}

function keyOf(day: string, name: string, kind = 'CloudTrail', region = 'eu-west-1'): string {
  return `AWSLogs/${account}/${kind}/${region}/${day.replaceAll('-', '/')}/${account}_${kind}_${region}_${day.replaceAll('-', '')}T1200Z_${name}.json.gz`;
}

function start(script: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    err += String(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

async function pagesIn(dataDir: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'lake', 'shards')).catch(() => []);
  return names.filter((name) => name.endsWith('.json'));
}

describe('an import that is killed', () => {
  it('at any point loses nothing and counts nothing twice when it is run again', async () => {
    const files: Record<string, Buffer> = {};
    for (let i = 0; i < 40; i++) {
      files[keyOf('2026-11-20', `f${i}`)] = logOf(
        Array.from({ length: 60 }, (_, n) => sample({ user: `user-${n % 7}`, ip: `198.51.100.${i % 9}` })),
      );
    }
    const dir = await folderOf(files);
    const dataDir = await tempDir();
    const script = join(import.meta.dirname, 'import-process.ts');
    for (const shards of [0, 2, 6]) {
      const child = start(script, [dir, dataDir]);
      const end = ended(child);
      while ((await pagesIn(dataDir)).length < shards && child.exitCode === null) await sleep(2);
      const isHalfWritten = async () => {
        const names = await readdir(join(dataDir, 'lake', 'temp')).catch(() => []);
        return names.some((name) => name.endsWith('.parquet'));
      };
      while (shards === 0 && child.exitCode === null && !(await isHalfWritten())) await sleep(1);
      child.kill('SIGKILL');
      await end;
    }
    const last = await ended(start(script, [dir, dataDir]));
    expect(last, last.err).toMatchObject({ code: 0 });
    const { imported, skipped } = JSON.parse(last.out) as { imported: number; skipped: number };
    expect(imported + skipped).toBe(40);
    expect(skipped).toBeGreaterThan(0);

    const [lake, folder] = [await openLake(dataDir), await openFolder(dir)];
    const all = { kind: 'account' as const, id: account };
    expect(contents(await lake.recordsOf(all))).toEqual(contents(await folder.recordsOf(all)));
    expect(lake.coverage()).toMatchObject({ complete: true, sources: [{ events: 2400 }] });
    const listed = (
      await Promise.all((await pagesIn(dataDir)).map((name) => readFile(join(dataDir, 'lake', 'shards', name), 'utf8')))
    ).map((text) => JSON.parse(text) as { shard?: { name: string; rows: number }; files: { path: string }[] });
    expect(listed.flatMap((page) => page.files.map((file) => file.path)).sort()).toEqual(Object.keys(files).sort());
    expect(listed.reduce((sum, page) => sum + (page.shard?.rows ?? 0), 0)).toBe(2400);
    const parquet = (await readdir(join(dataDir, 'lake', 'shards'))).filter((name) => name.endsWith('.parquet'));
    expect(parquet.sort()).toEqual(listed.flatMap((page) => page.shard?.name ?? []).sort());
  });

  it('one at a time: a second import on the same data folder is refused', async () => {
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: [sample()] }) });
    const dataDir = await tempDir();
    const { lock } = await import('proper-lockfile');
    await mkdir(join(dataDir, 'lake'));
    const release = await lock(join(dataDir, 'lake'), {
      lockfilePath: join(dataDir, 'lake', 'import.lock'),
      realpath: false,
      update: 1_000,
      stale: 5_000,
    });
    await expect(importFolder(dir, dataDir)).rejects.toThrow('Another import is running');
    await release();
    await expect(importFolder(dir, dataDir)).resolves.toMatchObject({ records: 1 });
  });
});

describe('firebreak import', () => {
  it('reads every form, lists what is bad and keeps it aside, and a second run does nothing', async () => {
    const text = JSON.stringify({ Records: [sample({ id: '1' }), sample({ id: '1', user: 'other' })] });
    const whole = gzipSync(
      Buffer.from(`{"Records":[${Array.from({ length: 3000 }, () => JSON.stringify(sample())).join(',')}]}`),
    );
    const dir = await folderOf({
      'deep/er/a.json': text,
      'same-object.json': text,
      'b.ndjson': [sample(), sample()].map((record) => JSON.stringify(record)).join('\n'),
      'lookup.json': JSON.stringify({ Events: [{ CloudTrailEvent: JSON.stringify(sample()) }] }),
      'cut.json.gz': whole.subarray(0, whole.length / 2),
      'noise.json.gz': Buffer.from('1f8b0800deadbeef', 'hex'),
      'readme.txt': 'nothing here',
      'empty.json': '{"Records":[]}',
    });
    const dataDir = await tempDir();
    const first = await ended(start(main, ['import', dir, '--json'], { FIREBREAK_DATA_DIR: dataDir }));
    expect(first.code, first.err).toBe(3);
    const told = JSON.parse(first.out) as {
      files: number;
      imported: number;
      skipped: number;
      records: number;
      bad: { path: string; reason: string }[];
    };
    expect(told).toMatchObject({ files: 8, imported: 7, skipped: 1 });
    expect(told.bad.map((one) => one.path).sort()).toEqual(['cut.json.gz', 'noise.json.gz']);
    expect(told.bad.find((one) => one.path === 'cut.json.gz')?.reason).toContain('truncated gzip');

    const lake = await openLake(dataDir);
    const folder = await openFolder(dir);
    const all = { kind: 'account' as const, id: account };
    expect(contents(await lake.recordsOf(all))).toEqual(contents(await folder.recordsOf(all)));
    expect(await lake.recordsOf({ kind: 'event', id: '1' })).toHaveLength(2);
    expect(lake.coverage().complete).toBe(false);
    expect(
      lake
        .coverage()
        .badFiles.map((one) => one.path)
        .sort(),
    ).toEqual(['cut.json.gz', 'noise.json.gz']);

    const before = await pagesIn(dataDir);
    const second = await ended(start(main, ['import', dir], { FIREBREAK_DATA_DIR: dataDir }));
    expect(second.code, second.err).toBe(0);
    expect(second.out).toContain('8 files: 0 imported with 0 records, 8 known from before');
    expect(await pagesIn(dataDir)).toEqual(before);
  });

  it('tells of each file that cannot be read, also where several have the same content', async () => {
    const day = '2026-11-20';
    const keyIn = (region: string, name: string) => keyOf(day, name, 'CloudTrail', region);
    const records = Array.from({ length: 50 }, () => sample());
    const [good, cut] = [logOf(records), logOf(records.slice(1)).subarray(0, 400)];
    const regions = ['eu-west-1', 'us-east-1', 'us-west-2'];
    const dir = await folderOf(
      Object.fromEntries(
        regions.flatMap((region) => [
          [keyIn(region, 'good'), good],
          [keyIn(region, 'cut'), cut],
          [keyIn(region, 'empty'), ''],
          [keyIn(region, 'emptied').replace('.json.gz', ''), ''],
        ]),
      ),
    );
    const dataDir = await tempDir();
    const first = await importFolder(dir, dataDir);
    expect(first).toMatchObject({ files: 12, imported: 10, skipped: 2, others: 3 });
    expect(first.bad).toHaveLength(6);
    for (const region of regions) {
      const coverage = (await openLake(dataDir, { regions: [region] })).coverage();
      expect(coverage.badFiles.map(({ path }) => path).sort()).toEqual([keyIn(region, 'cut'), keyIn(region, 'empty')]);
      expect(coverage.complete).toBe(false);
    }
    expect(await importFolder(dir, dataDir)).toMatchObject({ imported: 0, skipped: 12 });

    const later = await tempDir();
    await importFolder(join(dir, 'AWSLogs', account, 'CloudTrail', 'eu-west-1'), later);
    expect(await importFolder(dir, later)).toMatchObject({ bad: { length: 6 } });
  });

  it('is refused with a sentence where there is nothing to read or the words are wrong', async () => {
    const dataDir = await tempDir();
    for (const [args, code, words] of [
      [['import', '/nowhere/at/all'], 2, 'does not exist'],
      [['import'], 2, 'import takes one folder'],
      [['import', 's3://Bad_Bucket!/x'], 2, 'no address of a bucket'],
      [['import', '.', '--since', 'yesterweek'], 2, 'not a time'],
    ] as const) {
      const end = await ended(start(main, args, { FIREBREAK_DATA_DIR: dataDir }));
      expect(end.code, end.err).toBe(code);
      expect(end.err).toContain(words);
      expect(end.err).not.toContain('    at ');
    }
  });

  it('gives the same whatever the order of the files and their packing', async () => {
    const records = Array.from({ length: 30 }, (_, i) =>
      sample({ user: `u${i % 4}`, at: `2026-11-20T12:00:${String((i * 7) % 60).padStart(2, '0')}Z` }),
    );
    const forward = await folderOf({
      'a.json': JSON.stringify({ Records: records.slice(0, 20) }),
      'b.json.gz': logOf(records.slice(10)),
    });
    const backward = await folderOf(
      Object.fromEntries(records.toReversed().map((record, i) => [`${i}.json`, JSON.stringify(record, undefined, 1)])),
    );
    const [one, two] = [await tempDir(), await tempDir()];
    await importFolder(forward, one);
    await importFolder(backward, two);
    const [left, right] = [await openLake(one), await openLake(two)];
    for (const artifact of [
      { kind: 'account' as const, id: account },
      ...artifactsOf(await left.recordsOf({ kind: 'account', id: account })),
    ]) {
      expect(contents(await left.recordsOf(artifact))).toEqual(contents(await right.recordsOf(artifact)));
    }
  });
});

/** S3's REST API over one bucket: ListObjectsV2 by pages of two, and GetObject with If-Match. */
async function startS3(objects: Map<string, Buffer>) {
  const asked: string[] = [];
  const etag = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://s3');
    const [, bucket, ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    if (bucket !== 'trail-bucket') {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end('<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>');
    } else if (key === '') {
      const prefix = url.searchParams.get('prefix') ?? '';
      const after = url.searchParams.get('continuation-token') ?? '';
      const keys = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
      const page = keys.slice(0, 2);
      asked.push('list');
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(
        `<ListBucketResult><Name>trail-bucket</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${keys.length > 2}</IsTruncated>${
          keys.length > 2 ? `<NextContinuationToken>${page[1]}</NextContinuationToken>` : ''
        }${page
          .map(
            (name) =>
              `<Contents><Key>${name}</Key><Size>${objects.get(name)?.length}</Size><ETag>${etag(objects.get(name) as Buffer)}</ETag></Contents>`,
          )
          .join('')}</ListBucketResult>`,
      );
    } else {
      asked.push(key);
      const bytes = objects.get(key) as Buffer;
      response.writeHead(200, { etag: etag(bytes), 'x-amz-version-id': 'v-1', 'content-length': bytes.length });
      response.end(bytes);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
  };
}

describe('firebreak import s3://', () => {
  it('reads what the window and Regions take, keeps versions, and fetches nothing twice', async () => {
    const objects = new Map([
      [`trails/${keyOf('2026-11-18', 'old')}`, logOf([sample({ at: '2026-11-18T12:00:00Z' })])],
      [`trails/${keyOf('2026-11-20', 'a')}`, logOf([sample({ at: '2026-11-20T12:00:00Z', user: 'alice' })])],
      [
        `trails/${keyOf('2026-11-20', 'b')}`,
        logOf([sample({ at: '2026-11-20T13:00:00Z', user: 'bob', extra: { x: 1 } })]),
      ],
      [`trails/${keyOf('2026-11-20', 'c', 'CloudTrail', 'us-east-1')}`, logOf([sample({ region: 'us-east-1' })])],
      ['elsewhere/x.json', Buffer.from('{}')],
    ]);
    const { asked, env } = await startS3(objects);
    const dataDir = await tempDir();
    const args = [
      'import',
      's3://trail-bucket/trails/',
      '--since',
      '2026-11-20',
      '--until',
      '2026-11-21',
      '--regions',
      'eu-west-1',
      '--json',
    ];
    const first = await ended(start(main, args, { ...env, FIREBREAK_DATA_DIR: dataDir }));
    expect(first.code, first.err).toBe(0);
    expect(JSON.parse(first.out)).toMatchObject({ files: 2, imported: 2, records: 2 });
    expect([...new Set(asked)].filter((one) => one !== 'list').sort()).toEqual(
      [...objects.keys()].filter((key) => /_[ab]\.json/.test(key)),
    );
    expect(asked.filter((one) => one === 'list').length).toBeGreaterThan(1);

    const page = JSON.parse(
      await readFile(join(dataDir, 'lake', 'shards', (await pagesIn(dataDir))[0] ?? ''), 'utf8'),
    ) as { source: string; files: object[] };
    expect(page.source).toBe('s3://trail-bucket/trails/');
    expect(page.files[0]).toMatchObject({
      versionId: 'v-1',
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      sha256: createHash('sha256')
        .update(objects.get(`trails/${keyOf('2026-11-20', 'a')}`) as Buffer)
        .digest('hex'),
    });

    const window = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
    const lake = await openLake(dataDir, { window, regions: ['eu-west-1'] });
    expect(await lake.recordsOf({ kind: 'user', id: `arn:aws:iam::${account}:user/bob` })).toHaveLength(1);
    expect(lake.coverage()).toMatchObject({ complete: true, notLookedAt: [] });
    expect((await openLake(dataDir, { window })).coverage().complete).toBe(false);

    asked.length = 0;
    const second = await ended(start(main, args, { ...env, FIREBREAK_DATA_DIR: dataDir }));
    expect(JSON.parse(second.out)).toMatchObject({ imported: 0, skipped: 2 });
    expect(asked.every((one) => one === 'list')).toBe(true);
  });

  it('fetches once more what is known from a copy, and then no more', async () => {
    const names = ['a', 'b'].map((name) => `trails/${keyOf('2026-11-20', name)}`);
    const objects = new Map(names.map((name) => [name, logOf([sample({ user: name })])]));
    const copy = await folderOf(Object.fromEntries(objects));
    const { asked, env } = await startS3(objects);
    const dataDir = await tempDir();
    expect(await importFolder(copy, dataDir)).toMatchObject({ imported: 2 });
    for (const fetched of [names, []]) {
      asked.length = 0;
      const end = await ended(
        start(main, ['import', 's3://trail-bucket/trails/', '--json'], { ...env, FIREBREAK_DATA_DIR: dataDir }),
      );
      expect(JSON.parse(end.out)).toMatchObject({ imported: 0, skipped: 2, records: 0 });
      expect([...new Set(asked)].filter((one) => one !== 'list').sort()).toEqual(fetched);
    }
    const lake = await openLake(dataDir);
    expect(await lake.recordsOf({ kind: 'account', id: account })).toHaveLength(2);
  });

  it('says in a sentence that a bucket is not there', async () => {
    const { env } = await startS3(new Map());
    const end = await ended(
      start(main, ['import', 's3://no-such-bucket/x'], { ...env, FIREBREAK_DATA_DIR: await tempDir() }),
    );
    expect(end.code).toBe(2);
    expect(end.err).toContain('s3://no-such-bucket/x could not be read (NoSuchBucket)');
  });
});

describe('digests', () => {
  async function tree(change: (files: Map<string, Buffer>) => void) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const files = new Map<string, Buffer>();
    let previous: { key: string; hash: string; signature: string } | undefined;
    for (const hour of ['10', '11', '12', '13']) {
      const log = Buffer.from(JSON.stringify({ Records: [sample({ at: `2026-11-20T${hour}:10:00Z` })] }));
      const logKey = keyOf('2026-11-20', `h${hour}`);
      files.set(logKey, gzipSync(log));
      const key = keyOf('2026-11-20', `d${hour}`, 'CloudTrail-Digest');
      const digest = {
        awsAccountId: account,
        digestStartTime: `2026-11-20T${hour}:00:00Z`,
        digestEndTime: `2026-11-20T${Number(hour) + 1}:00:00Z`,
        digestS3Bucket: 'b',
        digestS3Object: key,
        digestPublicKeyFingerprint: 'abc',
        previousDigestS3Object: previous?.key ?? null,
        previousDigestHashValue: previous?.hash ?? null,
        previousDigestSignature: previous?.signature ?? null,
        logFiles: [{ s3Bucket: 'b', s3Object: logKey, hashValue: hash(log), hashAlgorithm: 'SHA-256' }],
      };
      const text = Buffer.from(JSON.stringify(digest));
      const signed = [digest.digestEndTime, `b/${key}`, hash(text), digest.previousDigestSignature ?? 'null'].join(
        '\n',
      );
      previous = { key, hash: hash(text), signature: sign('sha256', Buffer.from(signed), privateKey).toString('hex') };
      files.set(key, gzipSync(text));
    }
    change(files);
    const dir = await tempDir();
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), bytes);
    }
    const value = publicKey.export({ format: 'der', type: 'pkcs1' }).toString('base64');
    return { dir, keys: JSON.stringify({ PublicKeyList: [{ Value: value, Fingerprint: 'abc' }] }) };
  }

  it('that are whole are found so, with signatures where the keys are given', async () => {
    const { dir, keys } = await tree(() => undefined);
    const unsigned = await importFolder(dir, await tempDir());
    expect(unsigned.run.digests).toMatchObject({ found: 4, signature: 'signature not checked', problems: [] });
    const signed = await importFolder(dir, await tempDir(), { digestKeys: keys });
    expect(signed.run.digests).toMatchObject({ signature: 'signature checked of 3 of 4 digests', problems: [] });
  });

  it('tell altered and missing log files, and gaps', async () => {
    const { dir, keys } = await tree((files) => {
      files.set(keyOf('2026-11-20', 'h10'), logOf([sample({ user: 'forged' })]));
      files.delete(keyOf('2026-11-20', 'h11'));
      files.delete(keyOf('2026-11-20', 'd12', 'CloudTrail-Digest'));
    });
    const dataDir = await tempDir();
    const { run } = await importFolder(dir, dataDir, { digestKeys: keys });
    expect(run.digests.problems).toEqual([
      `log file altered: ${keyOf('2026-11-20', 'h10')}`,
      `log file missing: ${keyOf('2026-11-20', 'h11')}`,
      expect.stringContaining('digest missing between 2026-11-20T12:00:00Z and 2026-11-20T13:00:00Z'),
    ]);
    const coverage = (await openLake(dataDir)).coverage();
    expect(coverage.complete).toBe(false);
    expect(coverage.notLookedAt).toContain(`log file altered: ${keyOf('2026-11-20', 'h10')}`);
  });

  it('tell a digest that was rewritten', async () => {
    const { dir, keys } = await tree((files) => {
      const key = keyOf('2026-11-20', 'd11', 'CloudTrail-Digest');
      files.set(
        key,
        gzipSync(
          JSON.stringify({
            ...sample(),
            awsAccountId: account,
            digestStartTime: '2026-11-20T11:00:00Z',
            digestEndTime: '2026-11-20T12:00:00Z',
            digestS3Bucket: 'b',
            digestS3Object: key,
            digestPublicKeyFingerprint: 'abc',
            previousDigestS3Object: keyOf('2026-11-20', 'd10', 'CloudTrail-Digest'),
            logFiles: [],
          }),
        ),
      );
    });
    const { run } = await importFolder(dir, await tempDir(), { digestKeys: keys });
    expect(run.digests.problems).toContainEqual(expect.stringContaining('digest altered'));
    expect(run.digests.problems).toContainEqual(expect.stringContaining('digest signature wrong'));
  });

  it.each(['AWSLogs', `AWSLogs/${account}`])('are found where %s is what is imported', async (inside) => {
    const { dir } = await tree((files) => {
      files.set(keyOf('2026-11-20', 'h10'), logOf([sample({ user: 'forged' })]));
    });
    const { run } = await importFolder(join(dir, inside), await tempDir());
    expect(run.digests).toMatchObject({ found: 4, problems: [`log file altered: ${keyOf('2026-11-20', 'h10')}`] });
    const other = await importFolder(join(dir, inside), await tempDir(), {
      selection: { regions: ['us-east-1'] },
    });
    expect(other).toMatchObject({ files: 0 });
  });

  it('miss no file of a day that was not asked for', async () => {
    const day = (date: string) => ({ log: keyOf(date, 'late'), digest: keyOf(date, 'first', 'CloudTrail-Digest') });
    const [before, first] = [day('2026-11-19'), day('2026-11-20')];
    const text = JSON.stringify({ Records: [sample({ at: '2026-11-19T23:50:00Z' })] });
    const digest = {
      ...{ awsAccountId: account, digestStartTime: '2026-11-19T23:30:00Z', digestEndTime: '2026-11-20T00:30:00Z' },
      ...{ digestS3Bucket: 'b', digestS3Object: first.digest },
      logFiles: [before.log, first.log].map((s3Object) => ({
        s3Object,
        hashValue: createHash('sha256').update(text).digest('hex'),
      })),
    };
    const dir = await folderOf({ [before.log]: text, [first.log]: text, [first.digest]: JSON.stringify(digest) });
    const { run, files } = await importFolder(dir, await tempDir(), { selection: { from: '2026-11-20T00:00:00Z' } });
    expect(files).toBe(2);
    expect(run.digests).toMatchObject({ found: 1, problems: [] });
  });

  it('of two trails that write to one bucket are two chains', async () => {
    const files: Record<string, string> = {};
    for (const trail of ['org', 'team']) {
      let previous: string | null = null;
      for (const hour of ['10', '11', '12']) {
        const path: string = `AWSLogs/${account}/CloudTrail-Digest/eu-west-1/2026/11/20/${account}_CloudTrail-Digest_eu-west-1_${trail}_us-east-1_20261120T${hour}0000Z.json`;
        files[path] = JSON.stringify({
          ...{ awsAccountId: account, digestStartTime: `2026-11-20T${hour}:00:00Z` },
          ...{ digestEndTime: `2026-11-20T${Number(hour) + 1}:00:00Z`, digestS3Bucket: 'b', digestS3Object: path },
          ...{ previousDigestS3Object: previous, logFiles: [] },
        });
        previous = path;
      }
    }
    const { run } = await importFolder(await folderOf(files), await tempDir());
    expect(run.digests).toMatchObject({ found: 6, problems: [] });
    const [gone] = Object.keys(files).filter((path) => path.includes('_team_us-east-1_20261120T11'));
    delete files[gone ?? ''];
    const cut = await importFolder(await folderOf(files), await tempDir());
    expect(cut.run.digests.problems).toEqual([expect.stringContaining('digest missing between')]);
  });

  it('of log files that came late are chains beside those of every hour', async () => {
    const files: Record<string, string> = {};
    const late = keyOf('2026-11-20', 'late');
    files[late] = JSON.stringify({ Records: [sample()] });
    const digest = (trail: string, hour: number, kind: string, previous: string | null) => {
      const path = `AWSLogs/${account}/CloudTrail-Digest/eu-west-1/2026/11/20/${account}_CloudTrail-Digest_eu-west-1_${trail}_us-east-1_20261120T${hour}0000Z${kind}.json`;
      files[path] = JSON.stringify({
        ...{ awsAccountId: account, digestStartTime: `2026-11-20T${hour - 1}:00:00Z` },
        ...{ digestEndTime: `2026-11-20T${hour}:00:00Z`, digestS3Bucket: 'b', digestS3Object: path },
        previousDigestS3Object: previous,
        logFiles: [
          {
            s3Object: late,
            hashValue: createHash('sha256')
              .update(files[late] ?? '')
              .digest('hex'),
          },
          ...(trail === 'team' && kind && hour === 15
            ? [{ s3Object: keyOf('2026-11-20', 'gone'), hashValue: '0' }]
            : []),
        ],
      });
      return path;
    };
    for (const trail of ['org', 'team']) {
      let previous: string | null = null;
      for (const hour of [11, 12, 13, 14, 15]) previous = digest(trail, hour, '', previous);
      const first = digest(trail, 11, '_backfill', null);
      digest(trail, 13, '_backfill', trail === 'org' ? first : null);
      digest(trail, 15, '_backfill', null);
    }
    const { run } = await importFolder(await folderOf(files), await tempDir());
    expect(run.digests).toMatchObject({
      found: 16,
      problems: [`log file missing: ${keyOf('2026-11-20', 'gone')}`],
    });
  });

  it('of a bucket are compared again and again, and nothing is fetched twice for it', async () => {
    const { dir } = await tree(() => undefined);
    const objects = new Map<string, Buffer>();
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile()) objects.set(relative(dir, file), await readFile(file));
    }
    const { asked, env } = await startS3(objects);
    const dataDir = await tempDir();
    const run = async () => {
      asked.length = 0;
      const end = await ended(
        start(main, ['import', 's3://trail-bucket/AWSLogs/', '--json'], { ...env, FIREBREAK_DATA_DIR: dataDir }),
      );
      const { digests, ...counts } = JSON.parse(end.out) as { digests: { problems: string[] }; imported: number };
      return {
        code: end.code,
        problems: digests.problems,
        imported: counts.imported,
        fetched: asked.filter((one) => one !== 'list').length,
      };
    };
    expect(await run()).toEqual({ code: 0, problems: [], imported: 8, fetched: 8 });
    expect(await run()).toEqual({ code: 0, problems: [], imported: 0, fetched: 0 });
    const forged = keyOf('2026-11-20', 'h10');
    objects.set(forged, logOf([sample({ user: 'forged' })]));
    expect(await run()).toMatchObject({ code: 3, problems: [`log file altered: ${forged}`], fetched: 1 });
    objects.delete(forged);
    expect(await run()).toMatchObject({ code: 3, problems: [`log file missing: ${forged}`], fetched: 0 });
  });

  it('are believed until the same place was compared again', async () => {
    const altered = keyOf('2026-11-20', 'h10');
    const { dir, keys } = await tree((files) => {
      files.set(altered, logOf([sample({ at: '2026-11-20T10:10:00Z', user: 'forged' })]));
    });
    const problem = `log file altered: ${altered}`;
    const wrongKeys = keys.replace(/"Value":"[^"]{20}/, '"Value":"AAAAAAAAAAAAAAAAAAAA');
    const dataDir = await tempDir();
    let imports = 0;
    // Each a second after the one before: their order counts.
    const imported = (more: Parameters<typeof importFolder>[2] = {}) => {
      imports += 1;
      const at = new Date(Date.parse('2026-11-21T00:00:00Z') + imports * 1_000);
      return importFolder(dir, dataDir, { now: () => at, ...more });
    };
    await imported({ digestKeys: wrongKeys });
    const told = async (asked: { accounts?: string[]; regions?: string[]; window?: { from?: string } } = {}) =>
      (await openLake(dataDir, asked))
        .coverage()
        .notLookedAt.filter((text) => /altered|signature/.test(text))
        .sort();
    const all = await told();
    expect(all).toEqual([
      ...Array.from({ length: 3 }, () => expect.stringContaining('digest signature wrong')),
      problem,
    ]);
    expect(await told({ regions: ['eu-west-1'], window: { from: '2026-11-20T12:00:00Z' } })).toEqual(all);
    expect(await told({ regions: ['us-east-1'] })).toEqual([]);
    expect(await told({ accounts: ['999988887777'] })).toEqual([]);
    expect(await told({ window: { from: '2026-11-21T00:00:00Z' } })).toEqual([]);

    const away = {
      ...folderSource(dir),
      read: () => Promise.reject(new UserError('away')),
    };
    await imported({ isPart: true, source: away });
    await imported({ selection: { regions: ['us-east-1'] } });
    expect(await told()).toEqual(all);
    await imported();
    expect(await told()).toEqual(all);
    await imported({ digestKeys: keys });
    expect(await told()).toEqual([problem]);
  });

  it('are compared with what was imported in part before', async () => {
    const { dir } = await tree(() => undefined);
    const dataDir = await tempDir();
    await importFolder(dir, dataDir, { isPart: true });
    const { run, imported } = await importFolder(dir, dataDir);
    expect(run.digests).toMatchObject({ found: 4, problems: [] });
    expect(imported).toBe(4);
  });
});
