import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { UserError } from '../../../src/contracts/errors.ts';
import { drainOnce, keepFed, type LakeFeed } from '../../../src/flows/feed-lake.ts';
import { lakeFeeds } from '../../../src/wire-lake.ts';
import { openLake, tempDir } from '../evidence/lake/lakes.ts';
import { quiet, sample } from '../evidence/samples.ts';

interface Message {
  readonly id: string;
  readonly body: string;
}

/** S3 and SQS behind one address, as an emulator has them; SQS in its JSON protocol. */
async function startAws(objects: Map<string, Buffer>, queue: Message[]) {
  const asked: string[] = [];
  const broken = new Set<string>();
  const behindProxy = new Set<string>();
  const hidden = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
      if (target !== undefined) {
        const input = JSON.parse(Buffer.concat(chunks).toString()) as {
          QueueUrl: string;
          Entries?: { Id: string; ReceiptHandle: string }[];
        };
        asked.push(`${target} ${request.headers.host === new URL(input.QueueUrl).host ? 'at the queue' : 'here'}`);
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
        if (target === 'ReceiveMessage') {
          const some = queue.filter(({ id }) => !hidden.has(id)).slice(0, 10);
          for (const { id } of some) hidden.add(id);
          const Messages = some.map(({ id, body }) => ({
            MessageId: id,
            ReceiptHandle: id,
            Body: body,
            MD5OfBody: hash('md5', body),
          }));
          response.end(JSON.stringify(Messages.length === 0 ? {} : { Messages }));
        } else {
          const gone = new Set((input.Entries ?? []).map((entry) => entry.ReceiptHandle));
          queue.splice(0, queue.length, ...queue.filter(({ id }) => !gone.has(id)));
          response.end(JSON.stringify({ Successful: (input.Entries ?? []).map(({ Id }) => ({ Id })), Failed: [] }));
        }
        return;
      }
      const url = new URL(request.url ?? '/', 'http://s3');
      const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
      if (key === '') {
        asked.push('list');
        const prefix = url.searchParams.get('prefix') ?? '';
        const contents = [...objects]
          .filter(([name]) => name.startsWith(prefix))
          .map(
            ([name, bytes]) => `<Contents><Key>${name}</Key><Size>${bytes.length}</Size><ETag>"e"</ETag></Contents>`,
          );
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.end(
          `<ListBucketResult><Name>trail</Name><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
        );
        return;
      }
      asked.push(`get ${key}`);
      const bytes = objects.get(key);
      if (behindProxy.has(key)) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end('<html>Sign in to go on</html>');
      } else if (bytes === undefined || broken.has(key)) {
        response.writeHead(403, { 'content-type': 'application/xml' });
        response.end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
      } else {
        response.writeHead(200, { etag: '"e"', 'content-length': bytes.length });
        response.end(bytes);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'x',
  };
  return { asked, broken, behindProxy, hidden, env };
}

const keyOf = (name: string, kind = 'CloudTrail') =>
  `logs/AWSLogs/111122223333/${kind}/eu-west-1/2026/11/20/111122223333_${name}.json.gz`;
const logOf = (user: string) => gzipSync(JSON.stringify({ Records: [sample({ user, id: `id-${user}` })] }));
const noteOf = (key: string, bucket = 'trail') =>
  JSON.stringify({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: bucket }, object: { key, size: 1, eTag: 'e' } },
      },
    ],
  });

async function openFeed(env: Readonly<Record<string, string>>, dataDir: string): Promise<LakeFeed> {
  const config = join(await tempDir(), 'firebreak.yml');
  await writeFile(
    config,
    'imports:\n  - place: s3://trail/logs/\n    queue: https://sqs.eu-west-1.amazonaws.com/111122223333/new-files\n    days: 3650\n',
  );
  const all = { ...env, FIREBREAK_CONFIG: config, FIREBREAK_DATA_DIR: dataDir };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const [feed] = await lakeFeeds(loadConfig({ kind: 'cli' }), quiet);
  if (!feed) throw new Error('no feed');
  return feed;
}

const signal = new AbortController().signal;
const address = { kind: 'ip' as const, id: '198.51.100.7' };

describe('a lake that is fed', () => {
  it('has what a queue tells of, takes messages off only then, and fetches nothing twice', async () => {
    const objects = new Map(['a', 'b', 'c'].map((name) => [keyOf(name), logOf(name)]));
    const queue: Message[] = [
      { id: '1', body: noteOf(keyOf('a')) },
      { id: '2', body: JSON.stringify({ Type: 'Notification', Message: noteOf(keyOf('b')) }) },
      { id: '3', body: noteOf(keyOf('a')) },
      { id: '4', body: noteOf(keyOf('c')) },
      { id: '5', body: noteOf('elsewhere/x.json.gz') },
      { id: '6', body: noteOf(keyOf('a'), 'another-bucket') },
      { id: '7', body: 'what is this' },
      { id: '8', body: noteOf(keyOf('digest', 'CloudTrail-Digest')) },
    ];
    const { asked, broken, hidden, env } = await startAws(objects, queue);
    broken.add(keyOf('c'));
    const dataDir = await tempDir();
    const lake = await openFeed(env, dataDir);
    if (!lake.queue) throw new Error('no queue');

    const warned: object[] = [];
    const log = { ...quiet, warn: (facts: object) => void warned.push(facts) };
    await drainOnce({ ...lake, log }, lake.queue, signal);
    expect(warned).toContainEqual({ place: 's3://trail/logs/', elsewhere: 2 });
    expect(asked.filter((one) => one.startsWith('get')).sort()).toEqual(['a', 'b', 'c'].map((n) => `get ${keyOf(n)}`));
    expect(asked.some((one) => one.endsWith('at the queue'))).toBe(false);
    expect(queue.map(({ id }) => id)).toEqual(['4', '7']);
    const before = await openLake(dataDir);
    expect(await before.recordsOf(address)).toHaveLength(2);
    // Nobody vouches for what no note told of.
    expect(before.coverage().complete).toBe(false);

    broken.clear();
    hidden.clear();
    asked.length = 0;
    queue.push({ id: '9', body: noteOf(keyOf('a')) });
    await drainOnce(lake, lake.queue, signal);
    expect(queue.map(({ id }) => id)).toEqual(['7']);
    expect(await (await openLake(dataDir)).recordsOf(address)).toHaveLength(3);
  });

  it('does not take the page of a proxy for what is in an object', async () => {
    const queue: Message[] = [{ id: '1', body: noteOf(keyOf('a')) }];
    const { behindProxy, hidden, env } = await startAws(new Map([[keyOf('a'), logOf('a')]]), queue);
    const dataDir = await tempDir();
    const lake = await openFeed(env, dataDir);
    if (!lake.queue) throw new Error('no queue');

    behindProxy.add(keyOf('a'));
    await drainOnce(lake, lake.queue, signal);
    expect(queue).toHaveLength(1);
    expect((await openLake(dataDir)).coverage().badFiles).toEqual([
      { path: keyOf('a'), reason: expect.stringContaining('could not be read (NotAws)') },
    ]);

    hidden.clear();
    await drainOnce(lake, lake.queue, signal);
    expect(await readdir(join(dataDir, 'lake', 'runs'))).toHaveLength(1);

    behindProxy.clear();
    hidden.clear();
    await drainOnce(lake, lake.queue, signal);
    expect(queue).toEqual([]);
    const evidence = await openLake(dataDir);
    expect(await evidence.recordsOf(address)).toHaveLength(1);
    expect(evidence.coverage().badFiles).toEqual([]);
  });

  it('reads large files of any form, also where the note does not say how large', async () => {
    const records = Array.from({ length: 50 }, (_, i) =>
      sample({ extra: { userAgent: randomBytes(150_000).toString('base64'), eventID: `large-${i}` } }),
    );
    const large = gzipSync(JSON.stringify({ Records: records }, undefined, 1), { level: 0 });
    const { asked, env } = await startAws(new Map([[keyOf('a'), large]]), [
      { id: '1', body: JSON.stringify({ s3Bucket: 'trail', s3ObjectKey: [keyOf('a')] }) },
    ]);
    const dataDir = await tempDir();
    const lake = await openFeed(env, dataDir);
    if (!lake.queue) throw new Error('no queue');

    await drainOnce(lake, lake.queue, signal);
    const evidence = await openLake(dataDir);
    expect(evidence.coverage().badFiles).toEqual([]);
    expect(await evidence.recordsOf(address)).toHaveLength(50);

    // Its version is known from the first listing on.
    asked.length = 0;
    await lake.importAll(signal);
    await lake.importAll(signal);
    expect(asked).toEqual(['list', `get ${keyOf('a')}`, 'list']);
  });

  it('keeps every message where the import fails', async () => {
    const queue: Message[] = [{ id: '1', body: noteOf(keyOf('a')) }];
    const { env } = await startAws(new Map([[keyOf('a'), logOf('a')]]), queue);
    const lake = await openFeed(env, await tempDir());
    if (!lake.queue) throw new Error('no queue');
    const failing = { ...lake, importThese: () => Promise.reject(new Error('the disk is gone')) };
    await expect(drainOnce(failing, lake.queue, signal)).rejects.toThrow('the disk is gone');
    expect(queue).toHaveLength(1);
  });

  it('lists its place at the start, then works off the queue, and ends when told', async () => {
    const objects = new Map([[keyOf('a'), logOf('a')]]);
    const queue: Message[] = [];
    const { asked, env } = await startAws(objects, queue);
    const dataDir = await tempDir();
    const lake = await openFeed(env, dataDir);
    const ended = new AbortController();
    const runs = keepFed(lake, ended.signal);
    await vi.waitFor(() => expect(asked).toContain('ReceiveMessage here'), 20_000);
    objects.set(keyOf('b'), logOf('b'));
    queue.push({ id: '1', body: noteOf(keyOf('b')) });
    await vi.waitFor(() => expect(queue).toEqual([]), 20_000);
    ended.abort();
    await runs;
    expect(asked.filter((one) => one === 'list')).toHaveLength(1);
    const evidence = await openLake(dataDir);
    expect(await evidence.recordsOf(address)).toHaveLength(2);
  });

  it('has what the queue tells of also where the place cannot be listed', async () => {
    const dataDir = await tempDir();
    const objects = new Map([[keyOf('a'), logOf('a')]]);
    const queue: Message[] = [{ id: '1', body: noteOf(keyOf('a')) }];
    const { env } = await startAws(objects, queue);
    const lake = await openFeed(env, dataDir);
    let [now, tries] = [Date.parse('2026-11-21T00:00:00Z'), 0];
    const warned: object[] = [];
    const ended = new AbortController();
    const runs = keepFed(
      {
        ...lake,
        log: { ...quiet, warn: (facts: object) => void warned.push(facts) },
        importAll: async () => {
          tries += 1;
          throw new UserError('s3://trail/logs/ could not be read (AccessDenied).');
        },
        clock: {
          now: () => new Date(now),
          sleep: async (ms) => {
            now += ms;
          },
        },
      },
      ended.signal,
    );
    await vi.waitFor(() => expect(queue).toEqual([]), 20_000);
    expect(tries).toBe(1);
    // Each look at the queue takes its time, too.
    now += 60_000;
    await vi.waitFor(() => expect(tries).toBe(2), 20_000);
    expect(warned).toContainEqual({ place: 's3://trail/logs/', error: expect.any(UserError) });
    ended.abort();
    await runs;
    const evidence = await openLake(dataDir);
    expect(await evidence.recordsOf(address)).toHaveLength(1);
  });
});
