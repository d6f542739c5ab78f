/** What a pass for rules does with what Athena gives, and with what it does not. */
import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { describe, expect, it } from 'vitest';
import type { AthenaQuestions, AthenaRows, AthenaStatement } from '../../../../src/contracts/athena.ts';
import { UpstreamError, UserError } from '../../../../src/contracts/errors.ts';
import type { Evidence, WantedByRules } from '../../../../src/contracts/evidence.ts';
import { heardStatement, trailColumns } from '../../../../src/domain/athena/queries.ts';
import { parsePattern } from '../../../../src/domain/sigma/pattern.ts';
import { type RulesPass, rulesPass } from '../../../../src/evidence/athena/rules-pass.ts';
import { openOutside } from '../../../../src/evidence/outside.ts';
import { settings } from '../../domain/trail-table.ts';
import { tempDir } from '../lake/lakes.ts';
import { quiet } from '../samples.ts';

const scope = {
  accounts: ['111122223333'],
  regions: ['eu-west-1'],
  from: '2026-11-01T00:00:00Z',
  to: '2026-11-20T00:00:00Z',
};
const cells: Readonly<Record<string, string>> = {
  eventsource: 'iam.amazonaws.com',
  useridentity: '{"type":"IAMUser","arn":"a"}',
};

function row(id: string, more: Readonly<Record<string, string | undefined>> = {}): readonly (string | undefined)[] {
  const all: Record<string, string | undefined> = {
    ...cells,
    eventid: id,
    eventname: 'CreateUser',
    eventtime: `2026-11-02T00:00:0${id}Z`,
    ...more,
  };
  return trailColumns.map((column) => all[column]);
}

type Answer = Partial<AthenaRows> | Error;

/** @param heard what it says of which accounts have any records */
function opened(
  dataDir: string,
  answers: readonly Answer[],
  heard: Answer = { rows: scope.accounts.map((account) => [account]), bytes: 0 },
): { pass: RulesPass; asked: AthenaStatement[] } {
  const asked: AthenaStatement[] = [];
  const athena: AthenaQuestions = {
    scope: async () => scope,
    named: () => {
      throw new Error('not asked here');
    },
    heard: (table, asked) => heardStatement(settings, table, asked),
    dollars: () => 0.5,
    estimate: async () => ({ bytes: 1e11, because: 'the objects of 20 partitions' }),
    async ask(statement) {
      const isHeard = statement.title === 'which accounts have any logs';
      const answer = isHeard ? heard : (answers[asked.length] ?? {});
      if (!isHeard) asked.push(statement);
      if (answer instanceof Error) throw answer;
      return { columns: trailColumns, rows: [], truncated: false, queryExecutionId: 'q', bytes: 2e9, ...answer };
    },
    spent: () => ({ bytes: 0, dollars: 0, queries: 0 }),
  };
  const pass = rulesPass({
    ...{ athena, settings, dataDir, maxEvents: 100, isEveryRegion: true, log: quiet },
    now: () => new Date('2026-11-21T00:00:00Z'),
    signal: new AbortController().signal,
  });
  return { pass, asked };
}

/** `count` rules, each of `names` event names. */
function wanted(count: number, names = 1): WantedByRules & { readonly steps: string[] } {
  const steps: string[] = [];
  const name = (text: string) => ({
    kind: 'field' as const,
    field: 'eventName',
    test: { kind: 'text' as const, pattern: parsePattern(text), cased: false },
  });
  const rules = Array.from({ length: count }, (_, at) => ({
    name: `rule-${at}`,
    where: {
      kind: 'or' as const,
      of: [name('CreateUser'), ...Array.from({ length: names }, (_n, n) => name(`Call${at}x${n}`))],
    },
  }));
  return { rules, narrowing: () => undefined, progress: (step) => steps.push(step), steps };
}

async function idsOf(records: AsyncIterable<{ readonly eventID: string }>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { eventID } of records) ids.push(eventID);
  return ids;
}

describe('a pass for rules', () => {
  it('tells the cost before, and in its coverage after', async () => {
    const { pass } = opened(await tempDir(), [{ rows: [row('1')] }]);
    const asked = wanted(2);

    expect(await idsOf(pass.read(asked))).toEqual(['1']);
    expect(asked.steps).toEqual([
      'Asking Athena for 2 rules. It reads about 93 GiB (the objects of 20 partitions), $0.50.',
    ]);
    expect(pass.coverage()).toMatchObject({
      complete: true,
      sources: [{ events: 1, truncated: false, reason: 'Athena read 1.9 GiB, $0.01' }],
    });
    expect(pass.asked()).toMatchObject({ statements: 1, cost: { after: 'Athena read 1.9 GiB, $0.01' } });
  });

  it('says which accounts it found nothing in because there is nothing, or that it could not find out', async () => {
    const told = async (heard: Answer, rows: readonly (readonly (string | undefined)[])[] = []) => {
      const { pass } = opened(await tempDir(), [{ rows }], heard);
      await idsOf(pass.read(wanted(1)));
      return pass.coverage();
    };
    const silent = {
      ...{ complete: false, accounts: [] },
      notLookedAt: ['CloudTrail of account 111122223333: Athena has no record of it in that time'],
    };
    expect(await told({ rows: [], bytes: 1e7 })).toMatchObject({
      ...silent,
      sources: [{ reason: 'Athena read 1.9 GiB, $0.01' }],
    });
    expect(await told(new UpstreamError('athena', 'NothingRead', 'read nothing', { retryable: false }))).toMatchObject(
      silent,
    );
    expect(await told(new UserError('The limit of Athena for this day does not hold this query.'))).toMatchObject({
      ...{ complete: false, accounts: ['111122223333'] },
      notLookedAt: [
        'whether Athena has CloudTrail of 1 account (111122223333): The limit of Athena for this day does not hold this query.',
      ],
    });
    // One that a record came of is not asked for.
    const found = [row('1', { recipientaccountid: '111122223333' })];
    expect(await told(new Error('asked all the same'), found)).toMatchObject({
      ...{ complete: true, accounts: ['111122223333'] },
    });
  });

  it('tells of rows that are no records, and goes on with the others', async () => {
    const rows = [
      row('1', { eventname: undefined }),
      row('2', { requestparameters: '{"a":' }),
      row('3', { eventtime: 'soon' }),
    ];
    const { pass } = opened(await tempDir(), [{ rows }]);

    expect(await idsOf(pass.read(wanted(1)))).toEqual(['2']);
    expect(pass.coverage()).toMatchObject({
      complete: false,
      notLookedAt: ['2 rows of Athena that are no CloudTrail records'],
    });
  });

  it('says up to when an answer is whole that was cut', async () => {
    const { pass } = opened(await tempDir(), [{ rows: [row('1'), row('2')], truncated: true }]);
    await idsOf(pass.read(wanted(1)));

    expect(pass.coverage()).toMatchObject({
      complete: false,
      notLookedAt: ['rules rule-0: records after 2026-11-02T00:00:02Z'],
      sources: [{ truncated: true, reason: expect.stringContaining('stopped at 2 records') }],
    });
  });

  it('gives each record once where the rules took two statements, and names the rules of a part that failed', async () => {
    const failure = new UpstreamError('athena', 'FAILED', 'the second one failed', { retryable: false });
    const both = opened(await tempDir(), [{ rows: [row('1')] }, { rows: [row('1'), row('2')] }]);
    const one = opened(await tempDir(), [{ rows: [row('1')] }, failure]);

    expect(await idsOf(both.pass.read(wanted(2, 10_000)))).toEqual(['1', '2']);
    expect(both.asked.map(({ title }) => title)).toEqual([
      'records for 1 rule, part 1 of 2',
      'records for 1 rule, part 2 of 2',
    ]);
    expect(both.pass.coverage()).toMatchObject({ complete: true });
    expect(await idsOf(one.pass.read(wanted(2, 10_000)))).toEqual(['1']);
    expect(one.pass.coverage()).toMatchObject({
      complete: false,
      notLookedAt: ['rules rule-1: the second one failed'],
    });
  });

  it('asks in smaller statements where the engine finds one too complex', async () => {
    const words = "Athena's query ended as FAILED: Query exceeded maximum filters. Please reduce the number of filters";
    const complex = new UpstreamError('athena', 'FAILED', words, { retryable: false });
    const { pass, asked } = opened(await tempDir(), [complex, { rows: [row('1')] }, { rows: [row('1'), row('2')] }]);
    const single = opened(await tempDir(), [complex]);

    expect(await idsOf(pass.read(wanted(4, 500)))).toEqual(['1', '2']);
    expect(asked).toHaveLength(3);
    expect(pass.coverage()).toMatchObject({ complete: true, sources: [{ pages: 2 }] });
    await expect(idsOf(single.pass.read(wanted(1)))).rejects.toThrow('exceeded maximum filters');
  });

  it('answers although the lake cannot take the records now, and says so', async () => {
    const dataDir = await tempDir();
    const lake = join(dataDir, 'lake');
    await mkdir(lake, { recursive: true });
    const release = await lock(lake, { lockfilePath: join(lake, 'import.lock'), realpath: false });
    const { pass } = opened(dataDir, [{ rows: [row('1')] }]);
    const ids = await idsOf(pass.read(wanted(1)));
    await release();

    expect(ids).toEqual(['1']);
    expect(pass.coverage()).toMatchObject({
      complete: true,
      sources: [{ reason: expect.stringContaining('not kept in the lake: Another import') }],
    });
  });

  it('clears up after one that was killed, and keeps no records outside the lake', async () => {
    const dataDir = await tempDir();
    const [old, young] = ['athena-0123456789ab', 'athena-ba9876543210'].map((name) => join(dataDir, name));
    for (const dir of [old ?? '', young ?? '']) await mkdir(dir);
    await utimes(old ?? '', new Date('2026-11-20T00:00:00Z'), new Date('2026-11-20T00:00:00Z'));
    await utimes(young ?? '', new Date('2026-11-20T23:00:00Z'), new Date('2026-11-20T23:00:00Z'));
    const { pass } = opened(dataDir, [{ rows: [row('1')] }]);
    await idsOf(pass.read(wanted(1)));

    expect((await readdir(dataDir)).filter((name) => name.startsWith('athena-'))).toEqual(['athena-ba9876543210']);
    expect(await readdir(join(dataDir, 'lake', 'runs'))).toEqual([]);
  });
});

describe('what lies outside the lake', () => {
  const nothing = { complete: true, accounts: [], regions: [], from: '', to: '', badFiles: [], notLookedAt: [] };
  const lookup: Evidence = {
    recordsOf: async () => [],
    coverage: () => ({
      ...nothing,
      sources: [{ name: 'LookupEvents', events: 0, pages: 1, truncated: false, failed: false }],
    }),
    progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
  };

  async function outside(answers: readonly Answer[], other: Evidence = lookup) {
    const { pass } = opened(await tempDir(), answers);
    return openOutside({
      ...{ window: scope, signal: new AbortController().signal, log: quiet },
      openLookup: async () => other,
      openRules: async () => pass,
    });
  }

  it('is read whole from LookupEvents where Athena refuses the rules, and says that it was not looked at where it cannot be', async () => {
    const refused = [new UserError('The limit of Athena for this day does not hold this query.')];
    const blind = await outside(refused);
    const whole = await outside(refused, { ...lookup, all: async function* () {} });
    for (const one of [blind, whole])
      expect(await idsOf(one.matching?.(wanted(1), () => undefined) ?? (async function* () {})())).toEqual([]);

    expect(blind.coverage().notLookedAt.join()).toContain('the window as a whole');
    expect(whole.coverage()).toMatchObject({
      complete: false,
      notLookedAt: [],
      sources: [{ failed: true, name: 'CloudTrail in Athena' }, {}],
    });
  });

  it('fails where Athena breaks in a way that is nobody’s refusal', async () => {
    const broken = await outside([new TypeError('a bug')]);

    await expect(idsOf(broken.matching?.(wanted(1), () => undefined) ?? (async function* () {})())).rejects.toThrow(
      'a bug',
    );
  });
});
