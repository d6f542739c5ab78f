import { existsSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { openFolderEvidence } from '../../../src/evidence/folder.ts';
import { importFolder, openLake, tempDir } from './lake/lakes.ts';
import { folderOf, quiet, sample, sessionSample, zipOf } from './samples.ts';

const shared = new URL('../../../../shared/data/cloudtrail/', import.meta.url).pathname;

function open(dir: string, options: Partial<Parameters<typeof openFolderEvidence>[0]> = {}): Promise<Evidence> {
  return openFolderEvidence({ dir, window: {}, maxEvents: 1_000_000, log: quiet, ...options });
}

function zip(entries: Readonly<Record<string, Buffer>>): Buffer {
  return zipOf(entries, deflateRawSync, crc32);
}

async function loaded(files: Readonly<Record<string, string | Buffer>>) {
  const evidence = await open(await folderOf(files));
  const coverage = evidence.coverage();
  return { evidence, coverage, events: coverage.sources[0]?.events };
}

const two = [sample({ id: 'one' }), sample({ id: 'two' })];
const text = JSON.stringify({ Records: two });

describe('forms of files', () => {
  it.each<[string, string | Buffer]>([
    ['Records', text],
    ['pretty-printed Records', JSON.stringify({ Records: two }, null, 2)],
    ['a top-level array', JSON.stringify(two)],
    ['NDJSON', two.map((one) => JSON.stringify(one)).join('\n')],
    ['NDJSON of Records', two.map((one) => JSON.stringify({ Records: [one] })).join('\r\n')],
    ['concatenated pretty-printed objects', two.map((one) => JSON.stringify(one, null, 2)).join('\n')],
    [
      'LookupEvents pages',
      JSON.stringify({
        Events: two.map((one) => ({ EventId: one.eventID, CloudTrailEvent: JSON.stringify(one) })),
        NextToken: 't',
      }),
    ],
    [
      'EventBridge envelopes',
      two
        .map((one) => JSON.stringify({ version: '0', 'detail-type': 'AWS API Call via CloudTrail', detail: one }))
        .join('\n'),
    ],
    [
      'CloudWatch log events',
      JSON.stringify({
        messageType: 'DATA_MESSAGE',
        logEvents: two.map((one) => ({ id: '1', message: JSON.stringify(one) })),
      }),
    ],
    ['CloudWatch export lines', two.map((one) => `2026-11-20T22:00:00.000Z ${JSON.stringify(one)}`).join('\n')],
    [
      'an SQS message of an SNS message',
      JSON.stringify({ body: JSON.stringify({ Type: 'Notification', Message: JSON.stringify({ Records: two }) }) }),
    ],
    ['a UTF-8 byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
    ['UTF-16 little endian', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])],
    ['UTF-16 big endian', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()])],
    ['gzip', gzipSync(text)],
    ['gzip of several members', Buffer.concat(two.map((one) => gzipSync(`${JSON.stringify(one)}\n`)))],
    ['gzip in gzip', gzipSync(gzipSync(text))],
    ['zip', zip({ 'a/b.json': Buffer.from(text), 'README.md': Buffer.from('# hello') })],
    ['gzip in zip', zip({ 'a.json.gz': gzipSync(text) })],
    ['zip in zip', zip({ 'inner.zip': zip({ 'a.json': Buffer.from(text) }) })],
  ])('reads %s, whatever the name', async (_, content) => {
    const { evidence, coverage, events } = await loaded({ 'deep/er/download': content });

    expect(events).toBe(2);
    expect(coverage).toMatchObject({ complete: true, badFiles: [] });
    const alice = await evidence.recordsOf({ kind: 'user', id: 'arn:aws:iam::111122223333:user/alice' });
    expect(alice.map((record) => record.eventID)).toEqual(['one', 'two']);
  });

  it('takes one file instead of a folder', async () => {
    const dir = await folderOf({ 'a.json': text });
    expect((await open(join(dir, 'a.json'))).coverage().sources[0]?.events).toBe(2);
  });

  it('accepts empty arrays as logs in which nothing happened', async () => {
    const { coverage } = await loaded({ 'a.json': '[]', 'b.json': '{"Records":[]}' });
    expect(coverage).toMatchObject({ complete: true, badFiles: [] });
    expect(coverage.notLookedAt[0]).toMatch(/^no CloudTrail records found in /);
  });

  it('does not take a file for a log in which nothing happened that lies in the place of one', async () => {
    const place = 'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/';
    const name = (suffix: string) => `${place}111122223333_CloudTrail_eu-west-1_20261120T1200Z_${suffix}.json.gz`;
    const files = {
      [name('whole')]: gzipSync(text),
      [name('quiet')]: gzipSync('{"Records":[]}'),
      [name('null')]: gzipSync('{"Records":null}'),
      [name('object')]: gzipSync('{}'),
      [`${place}.DS_Store`]: 'Bud1',
      [`${place}notes.txt`]: 'notes',
      'Records.json': '{"Records":null}',
    };
    const reason = 'named as a CloudTrail log, but without a list of records';
    const badFiles = [name('null'), name('object')].map((path) => ({ path, reason }));
    const { coverage } = await loaded(files);
    expect(coverage).toMatchObject({ complete: false, badFiles });
    expect(coverage.notLookedAt.join()).toContain('3 files that are no CloudTrail logs');

    const dataDir = await tempDir();
    await importFolder(await folderOf(files), dataDir);
    expect((await openLake(dataDir)).coverage()).toMatchObject({ complete: false, badFiles });
  });

  it('skips digests in silence and names files that are no logs', async () => {
    const { coverage } = await loaded({
      'a.json': text,
      'digest.json.gz': gzipSync(
        JSON.stringify({ awsAccountId: '1', digestStartTime: 'x', logFiles: [{ s3Object: 'y' }] }),
      ),
      'README.md': '[link](http://x) and text',
      'labels.csv': 'eventName,label\nx,y\n',
      'package.json': '{"name":"x"}',
    });

    expect(coverage).toMatchObject({ complete: true, badFiles: [] });
    expect(coverage.notLookedAt.join()).toContain('README.md, labels.csv, package.json');
    expect(coverage.notLookedAt.join()).not.toContain('digest');
  });
});

describe('broken files', () => {
  const many = Buffer.from(
    Array.from({ length: 2000 }, (_, i) =>
      JSON.stringify(sample({ id: `n${i}`, ip: `10.0.${i % 250}.${(i * 7) % 250}` })),
    ).join('\n'),
  );

  it('keeps the good records of a truncated gzip file and lists it', async () => {
    const whole = gzipSync(many);
    const { coverage, events } = await loaded({ 'x/cut.json.gz': whole.subarray(0, Math.floor(whole.length / 2)) });

    expect(coverage.complete).toBe(false);
    expect(coverage.badFiles).toEqual([
      { path: 'x/cut.json.gz', reason: expect.stringMatching(/^truncated gzip; \d+ records kept$/) },
    ]);
    expect(events).toBeGreaterThan(800);
    expect(events).toBeLessThan(1200);
  });

  it('reads what comes after a name in an archive that leads out of it', async () => {
    const { coverage, events } = await loaded({
      'a.zip': zip({
        'a.json': Buffer.from(JSON.stringify([sample()])),
        '../../etc/b.json': Buffer.from(JSON.stringify([sample()])),
        '/c.json': Buffer.from(JSON.stringify([sample()])),
        'deep\\d.json': Buffer.from(JSON.stringify([sample()])),
        'e.json': Buffer.from('{"Records":['),
      }),
    });
    expect(events).toBe(4);
    expect(coverage.badFiles.map(({ path }) => path)).toEqual(['a.zip!/e.json']);
  });

  it('does not pass over what it cannot unpack', async () => {
    const tar = Buffer.alloc(1024);
    tar.write('AWSLogs/x.json', 0);
    tar.write('ustar', 257);
    const { coverage } = await loaded({
      'a.json': JSON.stringify([sample()]),
      'b.json.bz2': Buffer.from('BZh91AY&SY'),
      'c.zst': Buffer.from('28b52ffd00', 'hex'),
      'd.tar.gz': gzipSync(tar),
      'e.zip': zip({ 'f.json.xz': Buffer.from('fd377a585a00', 'hex') }),
    });
    expect(coverage.complete).toBe(false);
    expect(coverage.badFiles).toEqual([
      { path: 'b.json.bz2', reason: 'packed with bzip2, which cannot be read here: unpack it first' },
      { path: 'c.zst', reason: 'packed with zstd, which cannot be read here: unpack it first' },
      { path: 'd.tar.gz', reason: 'a tar archive, which cannot be read here: unpack it first' },
      { path: 'e.zip!/f.json.xz', reason: 'packed with xz, which cannot be read here: unpack it first' },
    ]);
  });

  it('names a file whose name cannot be read, and reads the others of its folder', async () => {
    const dir = await folderOf({ 'a/x.json': JSON.stringify([sample()]), 'a/z.json': JSON.stringify([sample()]) });
    await writeFile(Buffer.concat([Buffer.from(`${dir}/a/`), Buffer.from([0x66, 0xff, 0x67])]), '[]');
    const coverage = (await open(dir)).coverage();
    expect(coverage.sources[0]?.events).toBe(2);
    expect(coverage.badFiles).toEqual([
      { path: 'a/f\ufffdg', reason: 'could not be read (ENOENT), its name is not UTF-8: rename it' },
    ]);
  });

  it('keeps the records before the damage in a gzip file', async () => {
    const bytes = Buffer.from(gzipSync(many));
    bytes.fill(0xff, bytes.length - 3000, bytes.length - 2000);
    const { coverage, events } = await loaded({ 'damaged.json.gz': bytes });

    expect(coverage.badFiles[0]?.reason).toMatch(/damaged gzip/);
    expect(events).toBeGreaterThan(1000);
  });

  it('keeps all records where only the checksum is wrong', async () => {
    const bytes = Buffer.from(gzipSync(many));
    bytes.writeUInt32LE(1, bytes.length - 8);
    const { coverage, events } = await loaded({ 'sum.json.gz': bytes });
    expect([events, coverage.badFiles.length]).toEqual([2000, 1]);
  });

  it('keeps the good lines around bad ones', async () => {
    const lines = [JSON.stringify(two[0]), '{"eventName":"cut', JSON.stringify(two[1]), 'not json at all'];
    const { coverage, events } = await loaded({ 'a.ndjson': lines.join('\n') });

    expect(events).toBe(2);
    expect(coverage.badFiles).toEqual([
      { path: 'a.ndjson', reason: 'broken JSON (line 2) (and 1 more); 2 records kept' },
    ]);
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['page.json', '<html><body>403</body></html>', /HTML/],
    ['empty.json', '', /empty file/],
    ['text.json', 'hello', /not JSON/],
    ['half.json', '{"Records":[{"eventName":"x"', /middle/],
    ['near.json', JSON.stringify({ Records: [{ ...two[0], eventTime: 'soon' }] }), /no readable eventTime/],
    [
      'lower.json',
      JSON.stringify([{ eventname: 'x', eventSource: 'ec2.amazonaws.com', eventTime: '2026-11-20T12:00:00Z' }]),
      /no eventName/,
    ],
    ['half.zip', zip({ 'a.json': Buffer.from(text) }).subarray(0, 200), /zip/],
    ['rubbish.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5]), /gzip/],
  ])('lists %s as bad and says why', async (name, content, why) => {
    const { coverage } = await loaded({ [name]: content, 'good.json': text });

    expect(coverage.complete).toBe(false);
    expect(coverage.badFiles.map((file) => file.path)).toEqual([name]);
    expect(coverage.badFiles[0]?.reason).toMatch(why);
    expect(coverage.sources[0]?.events).toBe(2);
  });

  it('stops at files that blow up', async () => {
    const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024, ' '));
    const { coverage } = await loaded({ 'bomb.gz': bomb, 'bomb.zip': zip({ 'x.gz': bomb }), 'good.json': text });

    expect(coverage.badFiles.map((file) => file.reason)).toEqual(
      Array(2).fill('unpacks to more than 200 times its size'),
    );
    expect(coverage.sources[0]?.events).toBe(2);
  });

  it('shows names in archives without control characters and writes nothing anywhere', async () => {
    const { coverage } = await loaded({ 'a.zip': zip({ 'x\u001b[31m\n.json': Buffer.from('{"Records":[{') }) });
    expect(coverage.badFiles[0]?.path).toBe('a.zip!/x?[31m?.json');
  });
});

describe('folders', () => {
  it('refuses a folder that does not exist', async () => {
    await expect(open('/nowhere/at/all')).rejects.toThrow(/does not exist/);
  });

  it('is clear about a folder without any log', async () => {
    const { coverage } = await loaded({ 'README.md': 'hello' });
    expect(coverage.complete).toBe(false);
    expect(coverage.notLookedAt[0]).toMatch(/^no CloudTrail records found in /);
  });

  it('does not follow links out of the folder', async () => {
    const outside = await folderOf({ 'secret.json': text });
    const dir = await folderOf({ 'a.json': JSON.stringify([sample({ id: 'inside' })]) });
    await symlink(outside, join(dir, 'out'));
    await symlink(join(outside, 'secret.json'), join(dir, 'out.json'));
    await symlink(join(dir, 'a.json'), join(dir, 'again.json'));
    await symlink('nowhere', join(dir, 'dangling'));
    const coverage = (await open(dir)).coverage();

    expect(coverage.sources[0]?.events).toBe(1);
    expect(coverage.notLookedAt.join()).toContain('3 symbolic links, not followed');
  });

  it('drops exact duplicates and keeps different events that share an id', async () => {
    const one = sample({ id: '1' });
    const other = { ...one, eventName: 'RunInstances' };
    const turned = Object.fromEntries(Object.entries(one).reverse());
    const { evidence, events } = await loaded({
      'a.json': JSON.stringify([one, other, one]),
      'b.json': JSON.stringify([turned]),
    });

    expect(events).toBe(2);
    expect(await evidence.recordsOf({ kind: 'event', id: '1' })).toHaveLength(2);
  });

  it('keeps to the window, half-open, and to accounts and Regions', async () => {
    const dir = await folderOf({
      'a.json': JSON.stringify([
        sample({ id: 'before', at: '2026-11-20T11:59:59Z' }),
        sample({ id: 'first', at: '2026-11-20T12:00:00Z' }),
        sample({ id: 'elsewhere', at: '2026-11-20T12:30:00Z', region: 'us-east-1' }),
        sample({ id: 'foreign', at: '2026-11-20T12:30:00Z', account: '444455556666' }),
        sample({ id: 'end', at: '2026-11-20T13:00:00Z' }),
      ]),
    });
    const evidence = await open(dir, {
      window: { from: '2026-11-20T12:00:00Z', to: '2026-11-20T13:00:00Z' },
      accounts: ['111122223333'],
      regions: ['eu-west-1'],
    });
    const found = await evidence.recordsOf({ kind: 'ip', id: '198.51.100.7' });

    expect(found.map((record) => record.eventID)).toEqual(['first']);
    expect(evidence.coverage()).toMatchObject({
      complete: true,
      from: '2026-11-20T12:00:00Z',
      to: '2026-11-20T13:00:00Z',
    });
  });

  it('says so when the cap is reached', async () => {
    const dir = await folderOf({
      'a.json': JSON.stringify(Array.from({ length: 10 }, () => sample())),
      'b.json': text,
    });
    const coverage = (await open(dir, { maxEvents: 5 })).coverage();

    expect(coverage.sources[0]).toMatchObject({ events: 5, truncated: true, reason: 'stopped at 5 records' });
    expect(coverage).toMatchObject({ complete: false, badFiles: [] });
    expect(coverage.notLookedAt.join()).toContain('records after the first 5');
  });

  it('is not capped by exactly as many records as it may keep', async () => {
    expect((await open(await folderOf({ 'a.json': text }), { maxEvents: 2 })).coverage().complete).toBe(true);
  });

  it('answers the same whatever the order and the packing of the files', async () => {
    const records = Array.from({ length: 12 }, (_, i) =>
      sample({ id: `e${i % 5}`, at: `2026-11-20T12:00:0${i % 3}Z`, name: `Get${i}` }),
    );
    const answer = async (files: Record<string, string | Buffer>) => {
      const evidence = await open(await folderOf(files));
      return (await evidence.recordsOf({ kind: 'account', id: '111122223333' })).map(
        (record) => `${record.eventID} ${record.eventName}`,
      );
    };
    const expected = await answer({ 'a.json': JSON.stringify(records) });
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(records, { minLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (order, size, packed) => {
          const files: Record<string, string | Buffer> = {};
          for (let i = 0; i < order.length; i += size) {
            const body = order
              .slice(i, i + size)
              .map((one) => JSON.stringify(one))
              .join('\n');
            files[`${(i * 7919) % 101}.log`] = packed ? gzipSync(body) : body;
          }
          expect(await answer(files)).toEqual(expected);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('recordsOf', () => {
  it('finds records by every artifact that they touch', async () => {
    const session = sessionSample('i-0123456789abcdef0', { id: 's', ip: '2001:DB8::1', key: 'ASIAQNZGKIQY56JQ7WML' });
    const created = sample({
      id: 'c',
      name: 'CreateUser',
      extra: {
        eventSource: 'iam.amazonaws.com',
        readOnly: false,
        requestParameters: { userName: 'backdoor' },
        responseElements: { user: { userName: 'backdoor', arn: 'arn:aws:iam::111122223333:user/x/backdoor' } },
      },
    });
    const { evidence } = await loaded({ 'a.json': JSON.stringify([session, created]) });
    const ids = async (kind: Parameters<Evidence['recordsOf']>[0]['kind'], id: string) =>
      (await evidence.recordsOf({ kind, id })).map((record) => record.eventID);

    expect(await ids('session', 'arn:aws:sts::111122223333:assumed-role/ops/i-0123456789abcdef0')).toEqual(['s']);
    expect(await ids('role', 'arn:aws:iam::111122223333:role/team/ops')).toEqual(['s']);
    expect(await ids('role', 'arn:aws:iam::111122223333:role/ops')).toEqual(['s']);
    expect(await ids('resource', 'AROAQNZGKIQY56JQ7WMLA')).toEqual(['s']);
    expect(await ids('accessKey', 'ASIAQNZGKIQY56JQ7WML')).toEqual(['s']);
    expect(await ids('ip', '2001:db8::1')).toEqual(['s']);
    expect(await ids('resource', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0')).toEqual(['s']);
    expect(await ids('user', 'arn:aws:iam::111122223333:user/x/backdoor')).toEqual(['c']);
    expect(await ids('account', '111122223333')).toHaveLength(2);
    expect(await ids('event', 'c')).toEqual(['c']);
    expect(await ids('user', 'arn:aws:iam::111122223333:user/nobody')).toEqual([]);
  });

  it('gives the same objects at every call, in order of time', async () => {
    const { evidence } = await loaded({
      'a.json': JSON.stringify([
        sample({ at: '2026-11-20T12:00:01Z' }),
        sample({ at: '2026-11-20T12:00:00.250Z' }),
        sample({ at: '2026-11-20T12:00:00Z' }),
      ]),
    });
    const ip = { kind: 'ip', id: '198.51.100.7' } as const;
    const first = await evidence.recordsOf(ip);

    expect(first.map((record) => record.eventTime)).toEqual([
      '2026-11-20T12:00:00Z',
      '2026-11-20T12:00:00.250Z',
      '2026-11-20T12:00:01Z',
    ]);
    expect(
      (await evidence.recordsOf({ kind: 'account', id: '111122223333' })).every((record, i) => record === first[i]),
    ).toBe(true);
  });
});

describe.skipIf(!existsSync(shared))('public samples (skipped where the data folder is absent)', () => {
  it('reads the OTRF archive: 103 records, all time, two principals on one address', async () => {
    const evidence = await open(join(shared, 'otrf'));
    expect(evidence.coverage()).toMatchObject({
      complete: true,
      from: '2020-09-14T00:44:20Z',
      sources: [{ events: 103 }],
    });
    expect(await evidence.recordsOf({ kind: 'user', id: 'arn:aws:iam::123456789123:user/pedro' })).toHaveLength(87);
    const waf =
      'arn:aws:sts::123456789123:assumed-role/MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0/i-0317f6c6b66ae9c40';
    const acted = (await evidence.recordsOf({ kind: 'session', id: waf })).filter(
      (record) => record.userIdentity.arn === waf,
    );
    expect(acted.filter((record) => record.sourceIPAddress === '1.2.3.4')).toHaveLength(11);
  });

  it.each([
    ['stratus-red-team', 246],
    ['permiso-console-sessions', 5828],
    ['traildiscover-samples', 187],
    ['aws-docs', 16],
  ])('reads %s: %i distinct records, no bad file', async (folder, events) => {
    const coverage = (await open(join(shared, folder))).coverage();
    expect(coverage).toMatchObject({ complete: true, badFiles: [], sources: [{ events }] });
  });

  it('reads all of them together', async () => {
    expect((await open(shared)).coverage()).toMatchObject({
      complete: true,
      badFiles: [],
      sources: [{ events: 6380 }],
    });
  });
});

it('never throws on mutated files', async () => {
  const seeds = [Buffer.from(text), gzipSync(text), zip({ 'a.json': Buffer.from(text) }), Buffer.from(text, 'utf16le')];
  const dir = await folderOf({});
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { maxLength: 6 }),
      fc.nat(3000),
      async (seed, edits, end) => {
        const bytes = Buffer.from(seed.subarray(0, Math.max(1, seed.length - (end % seed.length))));
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        await writeFile(join(dir, 'x.json'), bytes);
        const coverage = (await open(dir)).coverage();
        return (coverage.sources[0]?.events ?? 0) <= 2;
      },
    ),
    { numRuns: 150 },
  );
});

describe('what the folder has no logs of', () => {
  const path = (day: string) => `AWSLogs/111122223333/CloudTrail/eu-west-1/${day.replaceAll('-', '/')}/a.json`;
  const at = (day: string) => JSON.stringify({ Records: [sample({ at: `${day}T10:00:00Z` })] });
  const laid = { [path('2026-11-10')]: at('2026-11-10'), [path('2026-11-19')]: at('2026-11-19') };
  const flat = { 'a.json': at('2026-11-10'), 'b.json': at('2026-11-19') };
  const alice = { kind: 'user' as const, id: 'arn:aws:iam::111122223333:user/alice' };

  describe.each([
    ['of a delivery tree', laid],
    ['of any names', flat],
  ])('%s', (_name, files) => {
    it.each<[string, Partial<Parameters<typeof openFolderEvidence>[0]>, RegExp]>([
      ['a Region', { regions: ['us-east-1'] }, /^Region us-east-1: there are no logs/],
      ['an account', { accounts: ['999999999999', '111122223333'] }, /^account 999999999999: there are no logs of it/],
      [
        'a time before',
        { window: { from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' } },
        /^the time asked for: the logs here are from 2026-11-10/,
      ],
      ['the time since', { window: { from: '2026-11-21T12:00:00Z' } }, /^the time asked for: .* to 2026-11-19/],
      [
        'an hour after the last line',
        { window: { from: '2026-11-20T01:00:00Z', to: '2026-11-20T02:00:00Z' } },
        /^the time asked for: .* to 2026-11-19/,
      ],
      ['the beginning', { window: { from: '2026-11-01T00:00:00Z' } }, /^2026-11-01T00:00:00Z to 2026-11-10/],
      ['the end', { window: { to: '2026-12-01T00:00:00Z' } }, /^2026-11-19T\d\d:\d\d:\d\dZ to 2026-12-01/],
      [
        'days between',
        { window: { from: '2026-11-12T00:00:00Z', to: '2026-11-15T00:00:00Z' } },
        /^account 111122223333: there are no logs of that time/,
      ],
    ])('%s is not looked at', async (_what, asked, words) => {
      const evidence = await open(await folderOf(files), asked);
      await evidence.recordsOf(alice);
      expect(evidence.coverage().complete).toBe(false);
      expect(evidence.coverage().notLookedAt).toEqual([expect.stringMatching(words)]);
    });

    it.each<[string, Partial<Parameters<typeof openFolderEvidence>[0]>]>([
      ['no limits', {}],
      ['its own account and Region', { accounts: ['111122223333'], regions: ['eu-west-1'] }],
      [
        'a window that begins and ends within a day of it',
        { window: { from: '2026-11-10T00:00:00Z', to: '2026-11-20T00:00:00Z' } },
      ],
      ['a quiet hour', { window: { from: '2026-11-19T03:00:00Z', to: '2026-11-19T04:00:00Z' } }],
    ])('and all is looked at with %s', async (_what, asked) => {
      const evidence = await open(await folderOf(files), asked);
      expect(evidence.coverage()).toMatchObject({ complete: true, notLookedAt: [] });
    });
  });

  it('may be anything where records name no account or Region', async () => {
    const bare = sample({ extra: { userIdentity: undefined, recipientAccountId: undefined, awsRegion: undefined } });
    const dir = await folderOf({ 'a.json': JSON.stringify([bare]) });
    const evidence = await open(dir, { accounts: ['999999999999'], regions: ['us-east-1'] });
    expect(evidence.coverage()).toMatchObject({ complete: true, sources: [{ events: 1 }] });
  });
});
