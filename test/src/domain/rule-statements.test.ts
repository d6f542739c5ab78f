/** Statements for Athena: a Trino grammar reads them all, they keep to Athena's length, and they use no function that is not listed. */
import { TrinoSQL } from 'dt-sql-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../detections/index.ts';
import type { AskedRule } from '../../../src/contracts/evidence.ts';
import { heardStatement } from '../../../src/domain/athena/queries.ts';
import { ruleStatements } from '../../../src/domain/athena/rule-statements.ts';
import { maxStatementBytes, trinoFunctions } from '../../../src/domain/athena/trino.ts';
import { pickRules } from '../../../src/domain/sigma/hunt.ts';
import { parseRules } from '../../../src/domain/sigma/parse.ts';
import { anyNode } from './any-rules.ts';
import { openTrailTable, settings } from './trail-table.ts';

const scope = {
  accounts: ['111122223333', '444455556666'],
  regions: ['eu-west-1', 'us-east-1'],
  from: '2026-11-01T00:00:00Z',
  to: '2026-11-20T00:00:00Z',
};
const parser = new TrinoSQL();
const ours = asked('all');

function asked(pick: string): readonly AskedRule[] {
  return pickRules(pick, catalogue()).running.map(({ name, tree }) => ({ name, where: tree }));
}

function faults(sql: string): readonly string[] {
  return parser.validate(sql).map(({ message, startLine, startColumn }) => `${startLine}:${startColumn} ${message}`);
}

/** Words before a parenthesis that are neither SQL's own nor the table's. */
function functionsOf(sql: string): ReadonlySet<string> {
  const plain = sql.replaceAll(/'(?:[^']|'')*'/g, "''");
  const words = [...plain.matchAll(/([A-Za-z_]+)\s*\(/g)].map(([, word = '']) => word);
  return new Set(words.filter((word) => !/^(SELECT|FROM|WHERE|AND|OR|NOT|IN|WHEN|THEN|CASE|CAST|AS|ELSE)$/.test(word)));
}

describe('rules as statements for Athena', { timeout: 240_000 }, () => {
  it('are one statement for the whole catalogue, within the partitions, that a Trino grammar reads', () => {
    const { statements, rules } = ruleStatements(settings, scope, ours, 1_000);

    expect(statements).toHaveLength(1);
    const sql = statements[0]?.statement.sql ?? '';
    expect(faults(sql)).toEqual([]);
    expect(Buffer.byteLength(sql)).toBeLessThan(maxStatementBytes);
    expect(sql).toContain(`account IN ('111122223333', '444455556666') AND region IN ('eu-west-1', 'us-east-1')
  AND "day" BETWEEN '2026/11/01' AND '2026/11/21'`);
    expect(sql).toContain("eventtime >= '2026-11-01T00:00:00Z' AND eventtime < '2026-11-20T00:00:00Z'");
    expect([...functionsOf(sql)].filter((name) => !(name in trinoFunctions))).toEqual([]);
    expect(rules.filter(({ how }) => how === 'none')).toEqual([]);
    expect(rules.filter(({ how }) => how === 'part').length).toBeLessThan(8);
    expect(rules.flatMap(({ lost }) => lost)).toEqual([]);
  });

  it('are read by a Trino grammar, each rule by itself and random ones', () => {
    const random = fc.sample(anyNode, 150).map((where, at) => ({ name: `random-${at}`, where }));
    for (const rule of [...ours, ...random]) {
      for (const { statement } of ruleStatements(settings, scope, [rule], 1_000).statements) {
        const { sql } = statement;
        expect({ rule: rule.name, faults: faults(sql) }).toEqual({ rule: rule.name, faults: [] });
        expect([...functionsOf(sql)].filter((name) => !(name in trinoFunctions))).toEqual([]);
      }
    }
  });

  it('are followed by which accounts have any logs, within the same scope', () => {
    const all = {
      ...settings,
      tables: { ...settings.tables, dns: 'dns', flowLogs: 'flows' },
      dnsVpcs: ['vpc-0a1b2c3d'],
    };
    const fifty = { ...scope, accounts: Array.from({ length: 50 }, (_, at) => String(111122223333 + at)) };
    for (const table of ['cloudtrail', 'dns'] as const) {
      const { sql } = heardStatement(all, table, fifty);
      expect(faults(sql)).toEqual([]);
      expect(sql.match(/LIMIT 1\)/g)).toHaveLength(50);
      expect(sql).toContain(`FROM logs.${table}\nWHERE account IN ('111122223382')`);
    }
    // The days of the partitions are wider than the window.
    const flows = heardStatement(all, 'flowLogs', fifty).sql;
    expect(faults(flows)).toEqual([]);
    expect(flows).toContain(
      `("start" >= ${Date.parse(scope.from) / 1000} OR "end" > ${Date.parse(scope.from) / 1000})`,
    );
    expect(flows).toContain(`"start" < ${Date.parse(scope.to) / 1000}`);
  });

  it('are split where they would be longer than Athena takes, and every rule is in one of them', () => {
    const { statements, rules } = ruleStatements(settings, scope, ours, 1_000, 60_000);

    expect(statements.length).toBeGreaterThan(2);
    for (const { statement } of statements) expect(Buffer.byteLength(statement.sql)).toBeLessThanOrEqual(60_000);
    expect(rules.filter(({ how }) => how === 'none')).toEqual([]);
    expect(statements.flatMap((one) => one.rules)).toEqual(ours.map(({ name }) => name));
    expect(statements[0]?.statement.title).toMatch(/^records for \d+ rules, part 1 of \d+$/);
    // The estimate is made once for all of them.
    expect(new Set(statements.map(({ statement }) => statement.reads)).size).toBe(1);
  });

  it('leave out a rule that is too long by itself, and a rule that nothing narrows, and say so', () => {
    const long = { name: 'long', where: { kind: 'or' as const, of: texts(3_000) } };
    const loose = {
      name: 'loose',
      where: { kind: 'keyword' as const, test: { kind: 'regex' as const, source: 'x', flags: '' } },
    };
    const { statements, rules } = ruleStatements(
      settings,
      scope,
      [long, loose, ...asked('iam-user-created')],
      1_000,
      20_000,
    );

    expect(statements).toHaveLength(1);
    expect(rules).toEqual([
      { rule: 'long', how: 'none', because: ['its SQL is longer than Athena takes'], lost: [] },
      { rule: 'loose', how: 'none', because: ['a keyword, which may stand in any field'], lost: [] },
      expect.objectContaining({ rule: 'iam-user-created', how: 'whole' }),
    ]);
  });

  it('name the fields that the table does not hold', () => {
    const yaml = `title: Mine
logsource: { product: aws, service: cloudtrail }
detection:
  a: { eventName: CreateUser, managementEvent: true }
  condition: a`;
    const [rule] = parseRules([{ path: 'mine.yml', text: yaml }]).rules;
    if (rule?.kind !== 'event') throw new Error('no rule');
    const { rules } = ruleStatements(settings, scope, [{ name: 'mine', where: rule.tree }], 10);

    const lack = 'the table has no column for managementEvent';
    expect(rules).toEqual([{ rule: 'mine', how: 'part', because: [lack], lost: [lack] }]);
  });

  it('fetch what the rules match and little else', async () => {
    const day = '2026-11-10T10:00:00Z';
    const call = (eventName: string, more: object = {}) => ({
      eventTime: day,
      eventID: eventName,
      eventSource: 'iam.amazonaws.com',
      eventName,
      userIdentity: { type: 'IAMUser', arn: "arn:aws:iam::111122223333:user/o'b" },
      ...more,
    });
    const late = call('CreateUser', { eventID: 'late', eventTime: '2026-11-20T00:00:00Z' });
    const table = await openTrailTable([call('CreateUser'), call('ListUsers'), call('DeleteUser'), late]);
    await table.db.run("UPDATE logs.cloudtrail SET day = '2026/11/10'");
    const [statement] = ruleStatements(settings, scope, asked('iam-user-created'), 10).statements;
    const read = await table.db.runAndReadAll(statement?.statement.sql ?? '');

    expect(read.getRowObjectsJson().map(({ eventid }) => eventid)).toEqual(['CreateUser']);
  });
});

function texts(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    kind: 'field' as const,
    field: 'eventName',
    test: { kind: 'text' as const, pattern: [{ kind: 'text' as const, text: `Call${at}` }], cased: false },
  }));
}
