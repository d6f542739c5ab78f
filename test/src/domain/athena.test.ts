/** Athena's SQL: nothing that somebody chose becomes part of it, and rows become what they came from. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ddlOf } from '../../../src/domain/athena/ddl.ts';
import { literal } from '../../../src/domain/athena/literals.ts';
import { dnsStatement, flowStatement, trailColumns, trailPass } from '../../../src/domain/athena/queries.ts';
import { athenaQuestions, namedStatement } from '../../../src/domain/athena/questions.ts';
import { recordLine } from '../../../src/domain/athena/rows.ts';
import { AthenaSection, dollarsOf } from '../../../src/domain/athena/settings.ts';
import { parseRecord } from '../../../src/domain/record.ts';

const settings = AthenaSection.parse({
  ...{ accountId: '111122223333', region: 'us-east-1', workgroup: 'w', database: 'd' },
  tables: { cloudtrail: 'trail', flowLogs: 'flows', dns: 'dns' },
  locations: { cloudtrail: 's3://trail', flowLogs: 's3://flows', dns: 's3://names' },
});
const scope = {
  ...{ accounts: ['111122223333'], regions: ['eu-west-1'] },
  ...{ from: '2026-11-19T23:00:00.000Z', to: '2026-11-20T12:00:00.000Z' },
};

/** The statement without its string literals: what is left is ours. */
function skeleton(sql: string): string {
  return sql.replaceAll(/'(?:[^']|'')*'/g, 'L');
}

describe('statements', () => {
  it('are the same whatever an attacker calls things; the names are parameters', () => {
    const plain = namedStatement('calls-of', ['arn:aws:iam::111122223333:user/x'], scope, settings);
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100 }), (name) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: refused, and tested below
        fc.pre(!/[\u0000-\u001f\u007f]/.test(name) && name.isWellFormed());
        const evil = namedStatement('calls-of', [`arn:aws:iam::111122223333:user/${name}`], scope, settings);
        expect(evil.sql).toBe(plain.sql);
        expect(skeleton(evil.parameters.join(' '))).toBe('L L');
      }),
    );
    expect(literal("a'b''c")).toBe("'a''b''''c'");
    expect(() => literal('a\u0000b')).toThrow('cannot be asked');
  });

  it('refuse accounts, Regions and times that are none, and words that do not fit the question', () => {
    expect(() => trailPass(settings, { ...scope, accounts: ["1' OR '1'='1"] }, 10)).toThrow('is no account id');
    expect(() => trailPass(settings, { ...scope, accounts: [] }, 10)).toThrow('at least one account');
    expect(() => trailPass(settings, { ...scope, regions: ["x') --"] }, 10)).toThrow('is no Region');
    expect(() => trailPass(settings, { ...scope, from: "'; drop" }, 10)).toThrow('is no time');
    expect(() => namedStatement('egress-of', ["i-1' OR 1=1"], scope, settings)).toThrow('takes instance ids');
    expect(() => namedStatement('principals-at', ['1.2.3.4', '1.2.3.5'], scope, settings)).toThrow('one IP address');
    expect(() => namedStatement('drop', [], scope, settings)).toThrow('no question');
  });

  it('are kept to accounts, Regions and days, the day after too, in each of the twelve', () => {
    const words = { instances: ['i-0abcdef1234567890'], principal: ['AKIAIOSFODNN7EXAMPLE'], address: ['203.0.113.9'] };
    expect(athenaQuestions.map(({ number }) => number)).toEqual(Array.from({ length: 12 }, (_, n) => `q${n + 1}`));
    for (const question of athenaQuestions) {
      const { sql, parameters } = namedStatement(question.number, words[question.takes], scope, settings);
      expect(sql).toContain(`account IN ('111122223333')`);
      expect(sql).toContain(`"day" BETWEEN '2026/11/19' AND '2026/11/21'`);
      expect(skeleton(sql).split('?').length - 1).toBe(parameters.length);
    }
  });

  it('over flow logs keep to the window as well, intervals that lasted into it too, and follow both kinds of address', () => {
    for (const name of ['flows-of', 'egress-of', 'destinations-of', 'calls-from-destinations-of']) {
      const { sql } = namedStatement(name, ['i-0abcdef1234567890'], scope, settings);
      expect(sql).toContain('(flow."start" >= 1795129200 OR flow."end" > 1795129200) AND flow."start" < 1795176000');
      expect(sql.includes('interfaces.ipv6')).toBe(name !== 'flows-of');
    }
  });

  it('look for the packet’s own addresses only where the flow logs have them', () => {
    const question = { addresses: ['10.0.0.5'], interfaces: [], instances: ['i-0abcdef1234567890'] };
    expect(flowStatement(settings, scope, question, 10)).toMatchObject({ parameters: ["'10.0.0.5'", "'10.0.0.5'"] });
    const wide = { ...settings, flowLogFields: ['srcaddr', 'dstaddr', 'start', 'pkt-srcaddr', 'instance-id'] };
    expect(flowStatement(wide, scope, question, 10).sql).toContain('instance_id IN (?)');
  });

  it('keep to the fields that the flow logs have, and say what none can do without', () => {
    const question = { addresses: ['10.0.0.5'], interfaces: ['eni-0a1b2c3d'], instances: [] };
    const few = { ...settings, flowLogFields: ['pkt-srcaddr', 'pkt-dstaddr', 'start', 'bytes'] };
    const { sql, parameters } = flowStatement(few, scope, question, 10);
    for (const absent of ['log_status', '"end"', 'srcport', 'interface_id', 'THEN packets', 'nullif(pkt'])
      expect(sql).not.toContain(absent);
    expect(skeleton(sql).split('?').length - 1).toBe(parameters.length);
    expect(() => flowStatement({ ...settings, flowLogFields: ['srcaddr', 'bytes'] }, scope, question, 10)).toThrow(
      'lacks srcaddr, dstaddr or start',
    );
  });

  it('keep lookups to the Regions too', () => {
    const question = { addresses: ['10.0.0.5'], instances: [], vpcs: [], domains: [] };
    expect(dnsStatement(settings, scope, question, 10).sql).toContain("region IN ('eu-west-1')");
  });

  it('are estimated with every table that they read, as often as they do', () => {
    const reads = (name: string) => namedStatement(name, ['i-0abcdef1234567890'], scope, settings).reads;
    for (const name of ['flows-of', 'egress-of', 'destinations-of'])
      expect(reads(name)).toMatchObject({ table: 'flowLogs', also: ['cloudtrail'] });
    expect(reads('calls-from-destinations-of').also).toEqual(['cloudtrail', 'cloudtrail']);
  });

  it('match a domain and what is below it without wildcards', () => {
    const question = { addresses: [], instances: [], vpcs: [], domains: ['a_b.example'] };
    const { sql, parameters } = dnsStatement(settings, scope, question, 10);
    expect(sql).not.toContain('LIKE');
    expect(parameters).toEqual(["'a_b.example.'", "'.a_b.example.'"]);
  });
});

describe('the CREATE TABLE statements', () => {
  it('have the partitions that AWS delivers to, with and without an organisation', () => {
    const single = ddlOf(settings, ['eu-west-1', 'us-east-1']);
    const inOrg = ddlOf({ ...settings, organizationId: 'o-exampleorgid' }, ['eu-west-1']);
    expect(single.map(({ table }) => table)).toEqual(['cloudtrail', 'flowLogs', 'dns']);
    expect(single[0]?.sql).toContain(`'s3://trail/AWSLogs/\${account}/CloudTrail/\${region}/\${day}'`);
    expect(single[0]?.sql).toContain("'projection.region.values' = 'eu-west-1,us-east-1'");
    expect(inOrg[0]?.sql).toContain('s3://trail/AWSLogs/o-exampleorgid/');
    expect(inOrg[1]?.sql).not.toContain('o-exampleorgid');
    expect(() => ddlOf({ ...settings, locations: {} }, ['eu-west-1'])).toThrow('athena.locations.cloudtrail');
  });

  it('list the fields of the flow logs in the order of their format', () => {
    const sql = ddlOf({ ...settings, flowLogFields: ['region', 'bytes', 'srcaddr'] }, ['eu-west-1'])[1]?.sql;
    expect(sql).toContain('(\n  `flow_region` string,\n  `bytes` bigint,\n  `srcaddr` string)');
  });

  it('take no name that would need quoting', () => {
    const wrong = { ...settings, tables: { cloudtrail: 'a; drop table b' }, database: 'x y', organizationId: "o'" };
    const issues = AthenaSection.safeParse(wrong).error?.issues.map(({ path }) => path.join('.'));
    expect(issues).toEqual(expect.arrayContaining(['database', 'tables.cloudtrail', 'organizationId']));
  });
});

describe('rows', () => {
  it('become the record that they came from, in CloudTrail’s own spelling', () => {
    const cells: Readonly<Record<string, string>> = {
      eventversion: '1.11',
      useridentity:
        '{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/R/s","accesskeyid":"ASIAEXAMPLE","username":null,"sessioncontext":{"attributes":{"creationdate":"2026-11-20T00:00:00Z","mfaauthenticated":"false"},"sessionissuer":{"arn":"arn:aws:iam::111122223333:role/p/R"},"webidfederationdata":{"federatedprovider":"x","attributes":{"CaseKept":"1"}}}}',
      eventtime: '2026-11-20T00:01:00Z',
      eventsource: 'iam.amazonaws.com',
      eventname: 'CreateUser',
      awsregion: 'us-east-1',
      sourceipaddress: '203.0.113.9',
      requestparameters: '{"userName":"Mallory"}',
      eventid: 'e-1',
      readonly: 'false',
      resources: '[{"arn":"arn:aws:iam::111122223333:user/Mallory","accountid":"111122223333","type":null}]',
      recipientaccountid: '111122223333',
    };
    const parsed = parseRecord(JSON.parse(recordLine(trailColumns.map((column) => cells[column]))));

    expect(parsed).toMatchObject({
      ok: true,
      record: {
        eventID: 'e-1',
        readOnly: false,
        sourceIPAddress: '203.0.113.9',
        userIdentity: {
          accessKeyId: 'ASIAEXAMPLE',
          sessionContext: {
            attributes: { creationDate: '2026-11-20T00:00:00Z', mfaAuthenticated: 'false' },
            sessionIssuer: { arn: 'arn:aws:iam::111122223333:role/p/R' },
            webIdFederationData: { federatedProvider: 'x', attributes: { CaseKept: '1' } },
          },
        },
        requestParameters: { userName: 'Mallory' },
        resources: [{ ARN: 'arn:aws:iam::111122223333:user/Mallory', accountId: '111122223333' }],
      },
    });
    expect(JSON.stringify(parsed)).not.toContain('null');
  });
});

describe('the price', () => {
  it('is at least that of 10 MB for a query that read anything', () => {
    expect([0, 1, 1e12, 2.5e11].map((bytes) => dollarsOf(bytes, settings))).toEqual([0, 0.00005, 5, 1.25]);
  });
});
