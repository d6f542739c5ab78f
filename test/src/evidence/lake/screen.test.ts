import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import type { Evidence } from '../../../../src/contracts/evidence.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { RecordFields, spareBytes } from '../../../../src/evidence/lake/record-fields.ts';
import { type Screened, screen } from '../../../../src/evidence/lake/screen.ts';
import { folderOf, sample } from '../samples.ts';
import { contents, importFolder, openFolder, openLake, tempDir } from './lakes.ts';

/** A secret that looks like each of those that redaction knows, and can be told from all others. */
function planted(number: number): string {
  return `hunter2x${String(number).padStart(4, '0')}`.padEnd(40, 'A');
}
const marker = /hunter2x\d{4}/g;

/** The text of a record with this text in place of, or behind, its request parameters. */
function withRequest(text: string): string {
  return JSON.stringify(sample({ extra: { requestParameters: 'HERE' } })).replace('"HERE"', () => text);
}

function withExtra(extra: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(sample({ extra }));
}

function withIdentity(more: Readonly<Record<string, unknown>>): string {
  const arn = 'arn:aws:sts::111122223333:assumed-role/ops/session';
  return withExtra({ userIdentity: { type: 'AssumedRole', arn, accountId: '111122223333', ...more } });
}

type Place = (secret: string) => string;
const parameters = (value: (secret: string) => unknown): Place => {
  return (secret) => withRequest(JSON.stringify(value(secret)));
};
const inText = (text: (secret: string) => string): Place => parameters((secret) => ({ note: text(secret) }));
const identity = (more: (text: string) => Readonly<Record<string, unknown>>): Place => {
  return (secret) => withIdentity(more(JSON.stringify({ password: secret })));
};

/** Everywhere that a secret has been seen to hide, or might. The door removes it from all of them. */
const places: Readonly<Record<string, Place>> = {
  'a key': parameters((s) => ({ password: s })),
  'a list below a key': parameters((s) => ({ a: [{ clientSecret: [{ b: [s] }] }] })),
  'a key written twice': (s) => withRequest(`{"password":"${s}","password":"***"}`),
  'a harmless key written twice': (s) => withRequest(`{"a":{"password":"${s}"},"a":1}`),
  'a field written twice': (s) => withRequest(`{"password":"${s}"},"requestParameters":{"a":1}`),
  'a key written with escapes': (s) => withRequest(`{"pass\\u0077ord":"${s}"}`),
  'a key that names a service': parameters((s) => ({ 'secretsmanager.amazonaws.com': s })),
  'a key below one that names a secret': parameters((s) => ({ secretId: { password: s }, secretName: 'x' })),
  'keys of tokens': parameters((s) => ({
    a: { 'session_-token': s },
    authXYToken: s,
    IDENTITYTOKEN: s,
    'id-token': s,
  })),
  'values that are named by the field before': parameters((s) => ({
    environment: [
      { name: 'DB_PASSWORD', value: s },
      { name: 'clientSecret', value: s, type: 'PLAINTEXT' },
      { Key: 'refresh_token', Value: s },
      { parameterKey: 'MasterPassword', parameterValue: s },
    ],
  })),
  'tokens of sign-in and of grants': parameters((s) => ({ SigninToken: s, 'sign_in-token': s, grantToken: s })),
  'a long key of a token': parameters((s) => ({ [`auth${'x'.repeat(60)}_-token`]: s })),
  'a key behind one that looks harmless': parameters((s) => ({ nextToken: 'a', nextTokenrefreshtoken: s })),
  'tokens of STS': parameters((s) => ({ credentials: [{ sessionToken: `IQoJ${s}` }, { sessionToken: `FwoG${s}` }] })),
  'a token of STS behind a quote': parameters((s) => ({ 'a"sessionToken': `IQoJ${s}` })),
  'a token of STS with a quote in it': parameters((s) => ({ sessionToken: `IQoJ"${s}`, 'x-amz-a': '' })),
  'tokens of STS and a password': parameters((s) => ({ sessionToken: `IQoJ${s}`, password: s })),
  'tokens of STS in two fields': (s) =>
    withExtra({ requestParameters: { sessionToken: `IQoJ${s}` }, responseElements: { sessionToken: `FQoG${s}` } }),
  'a token of STS written twice': (s) => withRequest(`{"sessionToken":"IQoJ${s}","sessionToken":"IQoJ${s}"}`),
  'JSON text': (s) => withExtra({ requestParameters: JSON.stringify({ password: s }) }),
  'JSON text with a key written twice': (s) => withExtra({ responseElements: `{"password":"${s}","password":"***"}` }),
  'JSON text with escapes': (s) => withExtra({ requestParameters: `{"pass\\u0077ord":"${s}"}` }),
  'a list that is no list': (s) => withExtra({ resources: `password ${s}` }),
  'a list of resources': (s) =>
    withExtra({ resources: [{ ARN: 'arn:aws:s3:::x', token: 'x', privateKey: s }, 'secret'] }),
  'a field nobody knows': (s) => withExtra({ brandNew: { keyMaterial: s } }),
  'a field nobody knows, as text': (s) => withExtra({ brandNew: `https://me:${s}@host` }),
  'the message of an error': (s) => withExtra({ errorMessage: `no access with xoxb-${s}` }),
  'the user agent': (s) => withExtra({ userAgent: `curl hooks.slack.com/${s}` }),
  'the address': (s) => withExtra({ sourceIPAddress: `//me:${s}@198.51.100.7` }),
  'the account': (s) => withExtra({ recipientAccountId: `xapp-${s}` }),
  'the Region': (s) => withExtra({ awsRegion: `xoxp-${s}` }),
  'the id': (s) => withExtra({ eventID: `xoxp-${s}` }),
  'the id of the request': (s) => withExtra({ requestID: `xoxp-${s}` }),
  'the context of a session': (s) => withIdentity({ sessionContext: { password: s } }),
  'the context of a session as text': identity((text) => ({ sessionContext: text })),
  'the attributes of a session as text': identity((text) => ({ sessionContext: { attributes: text } })),
  'the issuer of a session as text': identity((text) => ({ sessionContext: { sessionIssuer: text } })),
  'attributes as text in a context as text': identity((text) => ({
    sessionContext: JSON.stringify({ attributes: text }),
  })),
  'somebody on whose behalf, as text': identity((text) => ({ onBehalfOf: text })),
  'an identity as text': (s) => withExtra({ userIdentity: JSON.stringify({ onBehalfOf: `{"password":"${s}"}` }) }),
  'an identity with a key written twice': (s) =>
    withIdentity({ sessionContext: 'HERE' }).replace('"HERE"', `{"password":"${s}","password":"***"}`),
  'the password of a URL': inText((s) => `see https://me:${s}@host/x`),
  'the password of a URL with a quote': inText((s) => `https://me:a"b${s}@host`),
  'the password of a URL with quotes and backslashes': inText((s) => `https://m\\"e:\\\\"b\\"${s}\\"@host`),
  'the password of a URL behind many slashes': inText((s) => `//a//b///////////me:zoë${s}@host`),
  'the password of a URL behind others': inText((s) => `//a@b//c/@////d:/me //e:${s}@host`),
  'the password of a URL in JSON text': inText((s) => JSON.stringify({ url: `https://me:a"b${s}@host` })),
  'the password of a URL with escapes': (s) => withRequest(`{"note":"https:\\/\\/me:${s}@host"}`),
  'a JWT': inText((s) => `a-eyJ-eyJ${s}.${s}.${s}`),
  'a private key': inText((s) => `-----BEGIN RSA PRIVATE KEY-----\n${s}`),
  'a signed URL': inText((s) => `?X-Amz-Signature=${s}&x-amz-security-token=${s}`),
  'a token among other text': inText((s) => `(FwoG${s})`),
  'a secret among other text': inText((s) => `aws_secret=${s} secret`),
};

function screened(records: readonly string[]): {
  readonly fields: RecordFields;
  readonly answer: Screened | undefined;
} {
  const text = Buffer.from(`{"Records":[${records.join(',')}]}`);
  const fields = new RecordFields();
  const bytes = Buffer.concat([text, Buffer.alloc(spareBytes)]);
  fields.begin(bytes, 0, text.length);
  expect(fields.more(bytes, text.length)).toBe('end');
  return { fields, answer: screen(bytes, fields) };
}

/** What of a record would come to lie in a shard; undefined where its file is read like any other. */
function kept(record: string): string | undefined {
  const { fields, answer } = screened([record, ...Array.from({ length: 4 }, () => withExtra({}))]);
  if (answer === undefined) return undefined;
  const careful = answer.careful.get(0);
  if (careful) return JSON.stringify(careful);
  const bytes = Buffer.from(`{"Records":[${record}`);
  let [at = 0, text] = [fields.bounds[0], ''];
  for (const [from, to] of answer.tokens.get(0) ?? []) {
    text += bytes.toString('utf8', at, from);
    at = to;
  }
  return text + bytes.toString('utf8', at);
}

/** The text of the record as the door gives it out. */
function given(record: string): string {
  const parsed = parseRecord(JSON.parse(record));
  return JSON.stringify(parsed.ok ? parsed.record : '');
}

async function allOf(evidence: Evidence): Promise<CloudTrailRecord[]> {
  const records: CloudTrailRecord[] = [];
  for await (const record of evidence.all?.() ?? []) records.push(record);
  return records;
}

/** Every value of every column of the shards, and all other files of the lake as they are. */
async function onDisk(dataDir: string): Promise<string> {
  const shards = join(dataDir, 'lake', 'shards');
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const rows = await db.runAndReadAll(`SELECT * FROM read_parquet('${shards}/*.parquet', union_by_name = true)`);
    expect(rows.currentRowCount).toBeGreaterThan(0);
    const names = await readdir(join(dataDir, 'lake'), { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile());
    const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')));
    return [JSON.stringify(rows.getRowObjectsJson()), ...texts].join('\n');
  } finally {
    db.closeSync();
  }
}

describe('secrets', () => {
  it.each(Object.entries(places))('in %s are not kept', (_, place) => {
    const record = place(planted(1));
    expect(record).toMatch(marker);
    expect(given(record)).not.toMatch(marker);
    expect(kept(record) ?? '').not.toMatch(marker);
  });

  it('do not reach the disk from anywhere, and the answers are those of the folder', async () => {
    const secrets = Object.values(places).map((place, i) => place(planted(i)));
    const fill = () => Array.from({ length: 4 }, () => withExtra({}));
    const files = secrets.map((text, i) => [`f${i}.json`, `{"Records":[${[...fill(), text].join(',')}]}`]);
    const dir = await folderOf({ ...Object.fromEntries(files), 'lines.json': [...secrets, ...fill()].join('\n') });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir);
    expect((await onDisk(dataDir)).match(marker)).toBeNull();
    const [folder, lake] = [await allOf(await openFolder(dir)), await allOf(await openLake(dataDir))];
    expect(folder.length).toBeGreaterThan(secrets.length * 5);
    expect(contents(lake)).toEqual(contents(folder));
  });

  it('are kept nowhere where the door keeps them not, whatever stands around them', () => {
    const piece = fc.constantFrom(
      ...['password', 'secret', 'token', 'session', 'auth', 'next', 'Id', 'name', '_', '-', 'x'.repeat(70), 'IQoJ'],
      ...['secretsmanager.amazonaws.com', 'https:', '//', '/', ':', '@', '"', '\\', '\n', ' ', ',', '}', '{"', '":"'],
      ...['eyJ', '.', 'xoxb-', 'X-Amz-Signature=', '=', 'zoë', 'SECRET', 'sessionToken', 'samlAssertion', planted(7)],
    );
    const words = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
    const text = fc.oneof(
      words,
      words.map((word) => JSON.stringify({ [word]: planted(8) })),
      fc.constant(planted(9)),
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, text, fc.dictionary(words, tie('value'), { maxKeys: 3 })),
    })).value;
    const where = fc.constantFrom(
      ...['requestParameters', 'responseElements', 'errorMessage', 'userAgent', 'tlsDetails'],
    );
    const run = fc.record({ where, json, isText: fc.boolean(), again: words });
    fc.assert(
      fc.property(run, ({ where, json, isText, again }) => {
        // The door drops errors and agents that are no text.
        const value = isText || /^error|^user/.test(where) ? JSON.stringify(json) : json;
        const plain = withExtra({ [where]: value });
        // A key a second time, somewhere: JSON keeps the last, and the first may stay where it is no secret either.
        const key = JSON.stringify(again);
        const twice = plain.replace(key, () => `${key}:"${planted(6)}",${key}`);
        const apart = plain.replace(key, () => `${key}:"${planted(6)}","~":1,${JSON.stringify(`~${again}`)}`);
        for (const [record, known] of [[plain, plain] as const, ...(isJson(twice) ? [[twice, apart] as const] : [])]) {
          const allowed = new Set(`${given(record)}${given(known)}`.match(marker));
          for (const found of kept(record)?.match(marker) ?? []) expect(allowed, record).toContain(found);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

describe('records that the screen has no need to change', () => {
  it('lie there as they came, though they speak of secrets', () => {
    const harmless = [
      withExtra({ eventSource: 'secretsmanager.amazonaws.com', eventName: 'GetSecretValue' }),
      withExtra({ requestParameters: { secretId: 'prod/db', nextToken: 'abc', url: 'https://host/a@b' } }),
      withExtra({ eventName: 'GetAuthorizationToken', requestParameters: { passwordPolicy: { a: 1 } } }),
    ];
    const { answer } = screened([...harmless, withExtra({})]);
    expect(answer?.careful.size).toBe(0);
    expect(answer?.tokens.size).toBe(0);
  });
});

describe('a caller', () => {
  it.each([
    ['whose fields are empty', { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' }],
    ['whose account is a number', { type: 'AWSAccount', accountId: 11122223333 }],
    ['with a field that is null', { type: 'IAMUser', userName: null }],
  ])('%s lies there as the door gives it', (_, userIdentity) => {
    const record = withExtra({ userIdentity });
    expect(kept(record)).toBe(given(record));
  });
});

describe('files that are written as CloudTrail writes up to some place', () => {
  const good = Array.from({ length: 900 }, (_, i) =>
    withExtra({ eventID: `a-${i}`, requestParameters: { note: 'x'.repeat(900) } }),
  );
  it.each([
    ['a record that is none', '{"eventName":NaN}'],
    ['a record with white space', withExtra({ eventID: 'b', recipientAccountId: '999988887777' }).replace(':', ' : ')],
  ])('are read once, record by record, for %s', async (_, text) => {
    const odd = `{"Records":[${[...good.slice(1), text].join(',')}]}`;
    const dir = await folderOf({ 'a.json': odd, 'b.json': `{"Records":[${good[0]}]}` });
    const dataDir = await tempDir();

    const { records } = await importFolder(dir, dataDir);

    const [folder, lake] = [await allOf(await openFolder(dir)), await allOf(await openLake(dataDir))];
    expect(records).toBe(folder.length);
    expect(contents(lake)).toEqual(contents(folder));
    expect(new Set(lake.map(({ eventID }) => eventID)).size).toBe(lake.length);
  });
});

describe('records that look like envelopes', () => {
  it.each(['Records', 'records', 'Events', 'events', 'logEvents', 'x"Records'])(
    'with a list %j are read alike',
    async (key) => {
      const outer = [{ [key]: [sample({ user: 'inner' }), { a: 1 }] }, { [key]: [] }, { [key]: 'text' }];
      const records = [...Array.from({ length: 12 }, () => sample()), ...outer.map((extra) => sample({ extra }))];
      const dir = await folderOf({
        'a.json': JSON.stringify({ Records: records }),
        'b.json': records
          .map((record) => JSON.stringify({ ...record, eventID: `x-${String(record.eventID)}` }))
          .join('\n'),
      });
      const dataDir = await tempDir();
      await importFolder(dir, dataDir);
      const [folder, lake] = [await openFolder(dir), await openLake(dataDir)];
      expect(contents(await allOf(lake))).toEqual(contents(await allOf(folder)));
    },
  );
});

describe('hostile text', () => {
  /** Time of the processor, which other programs do not take; the square of these lengths takes at least ten times as much. */
  function cost(run: () => unknown): number {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }

  const length = 250_000;
  const repeated: Readonly<Record<string, string>> = {
    slashes: '/',
    'empty addresses': '//x',
    'users without a host': '//u:',
    'many tokens': 'token,',
    'names of tokens': 'auth-token,',
    'beginnings of a JWT': '-eyJ',
    'parts of a JWT': 'eyJaaaaaaaaa.',
    'beginnings of a private key': '-----BEGIN PRIVATE KEY',
    'ends of a private key': '-----BEGIN PRIVATE KEY----------END ',
    'beginnings of tokens': '-xoxb-IQoJFwoG',
    'signs of a secret': 'secret:=',
    'user and password': ':u',
  };
  it.each(Object.entries(repeated))('of %s costs no more than its length', (_, part) => {
    const text = part.repeat(length / part.length);
    // Something else in the record sends it through the door as well.
    const records = [
      withRequest(JSON.stringify({ text })),
      withRequest(JSON.stringify({ text: `//${text}`, password: 'x' })),
      withRequest(JSON.stringify({ [text]: 1, password: 'x' })),
    ];
    expect(cost(() => screened([...records, ...records]))).toBeLessThan(3000);
  });

  it('of long keys costs no more than its length', () => {
    const record = withRequest(JSON.stringify({ ['auth'.repeat(length / 4)]: 1, password: 'x' }));
    expect(cost(() => screened([record, withExtra({}), withExtra({})]))).toBeLessThan(3000);
  });

  it('of many tokens in one record costs no more than its length', () => {
    const record = withRequest(JSON.stringify(Array.from({ length: 80_000 }, () => ({ sessionToken: 'IQoJx' }))));
    expect(cost(() => screened([record, withExtra({}), withExtra({})]))).toBeLessThan(3000);
  });

  it('of identities without an account is read once', () => {
    const record = withExtra({ userIdentity: { type: 1 }, recipientAccountId: undefined });
    expect(cost(() => screened(Array.from({ length: 20_000 }, () => record)))).toBeLessThan(3000);
  });
});
