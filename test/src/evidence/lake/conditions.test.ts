/** Conditions of rules in SQL mean what the matcher means, or leave it to the matcher. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { catalogue } from '../../../../detections/index.ts';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import type { Coverage } from '../../../../src/contracts/evidence.ts';
import { type HuntRecords, type Match, type Picked, pickRules, runHunt } from '../../../../src/domain/sigma/hunt.ts';
import { type Json, matcherOf } from '../../../../src/domain/sigma/matcher.ts';
import { narrowingOf, recordsFor } from '../../../../src/domain/sigma/narrowing.ts';
import { parseRules } from '../../../../src/domain/sigma/parse.ts';
import { parsePattern } from '../../../../src/domain/sigma/pattern.ts';
import { parseRegex } from '../../../../src/domain/sigma/regex-parse.ts';
import type { CorrelationRule, EventRule, Node, Test } from '../../../../src/domain/sigma/tree.ts';
import { columnTypes, type Row, recordOfRow, sqlText } from '../../../../src/evidence/lake/columns.ts';
import { Conditions } from '../../../../src/evidence/lake/condition-sql.ts';
import { readRuleFiles } from '../../../../src/evidence/rule-files.ts';
import { root } from '../../../fakes/folder.ts';
import { folderOf } from '../samples.ts';
import { importFolder, openFolder, openLake, tempDir } from './lakes.ts';

const shared = join(root, '..', 'shared', 'data');

interface Row3 {
  readonly record: CloudTrailRecord;
  readonly verdict: boolean | null;
}

/** The rows of a lake, with SQL's verdict on each. */
async function openRows(dataDir: string): Promise<(nodes: readonly Node[]) => Promise<readonly (readonly Row3[])[]>> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  const shards = globSync(join(dataDir, 'lake', 'shards', '*.parquet'));
  await connection.run(
    `CREATE TABLE rows AS SELECT row_number() OVER () AS number, * FROM read_parquet([${shards.map(sqlText).join(', ')}])`,
  );
  const picks = columnTypes
    .filter(([name]) => !['ip', 'account', 'file', 'event_time'].includes(name))
    .map(([name]) => (name.endsWith('_uuid') ? `CAST(${name} AS VARCHAR) AS ${name}` : `"${name}"`));
  const read = await connection.runAndReadAll(
    `SELECT ${picks.join(', ')}, epoch_ms(event_time) AS event_ms FROM rows ORDER BY number`,
  );
  const records = read.getRowObjects().map((row) => recordOfRow(row as Row) as CloudTrailRecord);
  return async (nodes) => {
    const conditions = new Conditions();
    const picked = nodes.map((node, i) => `TRY(${conditions.sql(node)}) AS c${i}`);
    const reader = await connection.runAndReadAll(
      `SELECT ${picked.join(', ')} FROM (${conditions.over('SELECT * FROM rows')}) ORDER BY number`,
    );
    const rows = reader.getRows();
    return nodes.map((_node, i) => records.map((record, at) => ({ record, verdict: rows[at]?.[i] as boolean | null })));
  };
}

/** Compares; returns how many verdicts SQL left to the matcher. */
function expectSame(node: Node, rows: readonly Row3[]): number {
  const matches = matcherOf(node);
  let left = 0;
  for (const { record, verdict } of rows) {
    if (verdict === null) left += 1;
    else if (verdict !== matches(record as unknown as Json))
      expect({ node, record, sql: verdict }).toBe('as the matcher says');
  }
  return left;
}

const word = fc.constantFrom(
  'a',
  'A',
  'ab',
  'aB',
  'b',
  '',
  '1',
  '1.5',
  '-0',
  '10.0.0.7',
  '10.0.0.007',
  '192.0.2.1',
  '2001:db8::1',
  'ec2.amazonaws.com',
  'true',
  'False',
  'É',
  'K',
  'İ',
  "o'b",
  'a"b',
  'a\\b',
  'a.b',
  'a%b',
  'a_b',
  '*',
  'null',
  '[',
  'a[[b',
  'x\ny',
  '{"a":1}',
  '12345678901234567890',
);
const scalar = fc.oneof(word, fc.constantFrom(0, 1, -1, 1.5, 1e21, 12, 123_456_789_012, true, false, null));
const inner: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'a.b', 'b.c', 'A', '1', 'x"y'), tie('value'), { maxKeys: 3 }),
})).object;
const identity = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        type: scalar,
        arn: word,
        userName: fc.oneof(word, inner),
        accountId: fc.constantFrom('111122223333', 7, '', null),
        invokedBy: scalar,
        sessionContext: fc.oneof(
          inner,
          fc.record({
            sessionIssuer: fc.record({ userName: scalar, type: word }),
            attributes: fc.record({ mfaAuthenticated: scalar }),
          }),
          word,
        ),
        other: inner,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, 'text', 5) },
);
const event = fc.record(
  {
    eventTime: fc.constant('2026-11-20T12:00:00Z'),
    eventName: fc.constantFrom('GetUser', 'RunInstances', 'getuser'),
    eventSource: fc.constantFrom('iam.amazonaws.com', 'ec2.amazonaws.com'),
    eventID: fc.uuid({ version: 4 }),
    awsRegion: fc.oneof(fc.constantFrom('eu-west-1', '', null), scalar),
    sourceIPAddress: scalar,
    userAgent: fc.oneof(scalar, inner),
    errorCode: fc.oneof(scalar, inner),
    userIdentity: identity,
    requestParameters: fc.oneof(inner, inner, scalar),
    responseElements: fc.oneof(inner, fc.constant(null)),
    additionalEventData: fc.oneof(inner, word),
    resources: fc.oneof(fc.array(inner, { maxLength: 2 }), inner, scalar),
    readOnly: fc.constantFrom(true, false, 'true', 'x', null, 1),
    recipientAccountId: fc.constantFrom('111122223333', 12, '', null),
    tlsDetails: inner,
    managementEvent: scalar,
    'requestParameters.a': word,
    unheardOf: inner,
  },
  { requiredKeys: ['eventTime', 'eventName', 'eventSource', 'eventID'] },
);

const field = fc.constantFrom(
  ...[
    'eventName',
    'awsRegion',
    'sourceIPAddress',
    'userAgent',
    'errorCode',
    'readOnly',
    'recipientAccountId',
    'eventID',
  ],
  ...[
    'requestParameters.a',
    'requestParameters.a.b',
    'requestParameters.a.b.c',
    'requestParameters.b',
    'requestParameters',
  ],
  ...[
    'responseElements.a',
    'responseElements',
    'additionalEventData.a',
    'resources.a',
    'resources.a.b',
    'tlsDetails.a',
  ],
  ...[
    'userIdentity.type',
    'userIdentity.arn',
    'userIdentity.userName',
    'userIdentity.accountId',
    'userIdentity.invokedBy',
  ],
  ...['userIdentity.sessionContext.sessionIssuer.userName', 'userIdentity.sessionContext.attributes.mfaAuthenticated'],
  ...[
    'userIdentity.sessionContext.a',
    'userIdentity.userName.a',
    'userIdentity.other.a',
    'userIdentity',
    'managementEvent',
  ],
  ...['unheardOf', 'unheardOf.a', 'unheardOf.a.b', 'eventTime', 'firebreak.principal', 'errorCode.a', 'nothing.x'],
);
const regexes = [
  'a',
  '^a',
  'b$',
  '^(a|A)b?$',
  '[a-z]+',
  '[^a]',
  'a.b',
  '\\d+',
  '\\w',
  'a{2,}',
  '(?:x|y)',
  '\\.',
  '.*',
  '\\s',
  'a\\/b',
  '^$',
  '[a\\]]',
];
const test: fc.Arbitrary<Test> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    pattern: fc
      .oneof(word, fc.constantFrom('*', 'a*', '*b', '*a*', 'a?', '?', '*a*b*', 'k', 'é*', '\\*'))
      .map(parsePattern),
    cased: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('regex' as const),
    source: fc.constantFrom(...regexes),
    flags: fc.constantFrom('', 'i', 'm', 's'),
  }),
  fc.record({
    kind: fc.constant('cidr' as const),
    network: fc.constantFrom('10.0.0.0/8', '192.0.2.0/24', '0.0.0.0/0', '10.0.0.7/32', '2001:db8::/32'),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    sign: fc.constantFrom('lt' as const, 'lte' as const, 'gt' as const, 'gte' as const),
    number: fc.constantFrom(0, 1, 1.5, -3, 1e21),
  }),
  fc.record({
    kind: fc.constant('field' as const),
    field,
    where: fc.constantFrom('whole' as const, 'contains' as const),
    cased: fc.boolean(),
  }),
);
const node: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({ kind: fc.constant('field' as const), field, test }),
    fc.record({ kind: fc.constant('field' as const), field, test }),
    fc.record({ kind: fc.constant('null' as const), field }),
    fc.record({ kind: fc.constant('exists' as const), field, expected: fc.boolean() }),
    fc.record({ kind: fc.constant('keyword' as const), test }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('not' as const), of: tie('node') }),
  ),
})).node;

describe('conditions in SQL', () => {
  it('mean what the matcher means, for random rules and random events', { timeout: 240_000 }, async () => {
    for (const regex of regexes) parseRegex(regex, '');
    const dir = await tempDir();
    const seed = Date.now();
    const events = fc.sample(event, { numRuns: 1_500, seed });
    await importFolder(await folderOf({ 'events.json': JSON.stringify({ Records: events }) }), dir);
    const verdicts = await openRows(dir);
    const nodes = fc.sample(node, { numRuns: 600, seed });
    let [left, all] = [0, 0];
    for (let at = 0; at < nodes.length; at += 50) {
      const some = nodes.slice(at, at + 50);
      for (const [i, rows] of (await verdicts(some)).entries()) {
        left += expectSame(some[i] as Node, rows);
        all += rows.length;
      }
    }
    // Else nothing would have been compared.
    expect(left / all, `seed ${seed}`).toBeLessThan(0.6);
    expect(all).toBeGreaterThan(500_000);
  });
});

describe('answers in the place of records', () => {
  it('come to the same matches as the records, for random rules, counts and events', { timeout: 240_000 }, async () => {
    const dir = await tempDir();
    const seed = Date.now();
    // Records under one id, or with fields of their own, are always read whole: here most are not.
    const events = fc.sample(event, { numRuns: 600, seed }).map((one, i) => ({
      ...one,
      eventID: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      ...(i % 4 === 0 ? {} : { unheardOf: undefined, 'requestParameters.a': undefined }),
    }));
    await importFolder(await folderOf({ 'events.json': JSON.stringify({ Records: events }) }), dir);
    const lake = await openLake(dir);
    const nodes = fc.sample(node, { numRuns: 50, seed });
    const fields = fc.sample(field, { numRuns: 90, seed });
    let [told, yielded] = [0, 0];
    for (let at = 0; at < nodes.length; at += 2) {
      const rules = nodes
        .slice(at, at + 2)
        .map((tree, i): EventRule => ({ ...head(`rule-${i}`), kind: 'event', tree }));
      // Counts heed fields that no rule reads.
      const counts = rules.slice(0, 2).map(
        ({ name }, i): CorrelationRule => ({
          ...head(`count-${i}`),
          kind: 'correlation',
          type: 'value_count',
          rules: [name],
          groupBy: [fields[at + i] ?? ''],
          aliases: {},
          timespanMs: 600_000,
          atLeast: 2,
          field: fields[at + i + 3],
          generate: true,
        }),
      );
      const picked: Picked = { reporting: new Set([...rules, ...counts]), running: rules };
      const records = recordsFor(picked, {
        ...lake,
        all: async function* (narrowing, tell) {
          const records = lake.all?.(narrowing, (record, yes) => {
            told += 1;
            tell?.(record, yes);
          });
          for await (const record of records ?? []) {
            yielded += 1;
            yield record;
          }
        },
      });
      const context = { signal: new AbortController().signal, progress: () => undefined };
      const [byAnswers, byRecords] = [
        await runHunt(records as HuntRecords, picked, context),
        await runHunt(lake.all?.() as HuntRecords, picked, context),
      ];
      expect(plain(byAnswers.matches), `seed ${seed}`).toEqual(plain(byRecords.matches));
    }
    expect(lake.coverage()).toMatchObject({ sources: [{ failed: false }] });
    expect(told, `seed ${seed}`).toBeGreaterThan(200);
    expect(yielded).toBeGreaterThan(200);
  });

  it('take no event of Insights for the calls that it counts', async () => {
    const dir = await tempDir();
    const names = { ConsoleLogin: 'signin', StopLogging: 'cloudtrail', CreateAccessKey: 'iam', RunInstances: 'ec2' };
    const insights = Object.entries(names).map(([eventName, service], i) => ({
      eventTime: '2026-11-20T12:00:00Z',
      eventID: `00000000-0000-4000-8000-00000000001${i}`,
      eventType: 'AwsCloudTrailInsight',
      eventCategory: 'Insight',
      insightDetails: { state: 'Start', eventSource: `${service}.amazonaws.com`, eventName },
    }));
    await importFolder(await folderOf({ 'events.json': JSON.stringify({ Records: insights }) }), dir);
    const picked = pickRules('all', catalogue());

    expect(plain(await hunted(recordsFor(picked, await openLake(dir))))).toEqual([]);
  });

  it('do not carry fields that nobody reads', async () => {
    const dir = await tempDir();
    const calls = ['GetCallerIdentity', 'CreateUser'].map((eventName, i) => ({
      eventTime: '2026-11-20T12:00:00Z',
      eventID: `00000000-0000-4000-8000-00000000000${i}`,
      eventName,
      eventSource: eventName === 'CreateUser' ? 'iam.amazonaws.com' : 'sts.amazonaws.com',
      userAgent: 'aws-cli/2.27.1',
      requestParameters: { userName: 'bob' },
      userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/alice' },
    }));
    await importFolder(await folderOf({ 'events.json': JSON.stringify({ Records: calls }) }), dir);
    const told: [string, unknown][] = [];
    const picked = pickRules('iam-user-created', catalogue());
    for await (const record of (await openLake(dir)).all?.(narrowingOf(picked), (one) =>
      told.push([one.eventName, one.requestParameters]),
    ) ?? [])
      expect(record).toBe('told');

    expect(told).toEqual([['CreateUser', undefined]]);
  });
});

function head(name: string): Omit<EventRule, 'kind' | 'tree'> {
  return {
    name,
    id: name,
    title: name,
    description: '',
    author: '',
    level: 'low',
    tags: [],
    tactic: [],
    technique: [],
    falsepositives: [],
    file: '',
  };
}

async function hunted(records: HuntRecords | undefined): Promise<readonly Match[]> {
  if (records === undefined) throw new Error('the source cannot be read whole');
  const context = { signal: new AbortController().signal, progress: () => undefined };
  return (await runHunt(records, pickRules('all', catalogue()), context)).matches;
}

function plain(matches: readonly Match[]): readonly string[] {
  return matches.map(({ rule, ...match }) => JSON.stringify([rule.name, match])).sort();
}

describe.skipIf(!existsSync(shared))('real logs of others (skipped without ../shared/data)', () => {
  const logs = join(shared, 'cloudtrail');

  it('get the same verdict from SQL and matcher, by every rule of ours and of SigmaHQ', {
    timeout: 240_000,
  }, async () => {
    const dir = await tempDir();
    await importFolder(logs, dir);
    const verdicts = await openRows(dir);
    const theirs = parseRules(await readRuleFiles(join(shared, 'sigma', 'rules')));
    const rules = [...catalogue().rules, ...theirs.rules].filter((rule): rule is EventRule => rule.kind === 'event');
    const left = new Map<string, number>();
    let rowsSeen = 0;
    for (let at = 0; at < rules.length; at += 40) {
      const some = rules.slice(at, at + 40);
      for (const [i, rows] of (await verdicts(some.map((rule) => rule.tree))).entries()) {
        rowsSeen = rows.length;
        const own = expectSame((some[i] as EventRule).tree, rows);
        if (own > 0) left.set((some[i] as EventRule).name, own);
      }
    }

    expect(rowsSeen).toBeGreaterThan(1_000);
    const undecided = [...left.values()].reduce((sum, n) => sum + n, 0);
    expect(undecided / (rowsSeen * rules.length)).toBeLessThan(0.02);
  });

  it('give the same hunt from the lake as from the folder', { timeout: 240_000 }, async () => {
    const dir = await tempDir();
    await importFolder(logs, dir);
    const [folder, lake] = [await openFolder(logs), await openLake(dir)];

    const picked = pickRules('all', catalogue());

    const fromLake = await hunted(lake.all?.(narrowingOf(picked)));

    expect(plain(await hunted(recordsFor(picked, lake)))).toEqual(plain(fromLake));
    expect(plain(fromLake)).toEqual(plain(await hunted(folder.all?.())));
    expect(fromLake.length).toBeGreaterThan(100);
    expect(lake.coverage()).toMatchObject({ sources: [{ failed: false }] } satisfies {
      sources: Partial<Coverage['sources'][number]>[];
    });
  });
});
