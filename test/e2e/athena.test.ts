import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoAws, startDemoAws } from '../../demo/aws/server.ts';
import { minerInstances } from '../../demo/aws/stories/s3.ts';
import { sharedIp } from '../../demo/aws/world.ts';
import { type AthenaKeys, athenaSetting, type Ran, runWith } from '../support/athena-shell.ts';

let aws: DemoAws;
let folder: string;

beforeAll(async () => {
  aws = await startDemoAws({ story: 's3', backgroundEvents: 40, lookupRatePerSecond: 50 });
  folder = mkdtempSync(join(tmpdir(), 'firebreak-athena-'));
});
afterAll(async () => {
  await aws?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function firebreak(words: readonly string[], athena: AthenaKeys = {}, data = 'data'): Promise<Ran> {
  return runWith(athenaSetting(aws, folder, athena, data), folder, words);
}

const machine = minerInstances[0];
const user = 'arn:aws:iam::999999999999:user/pipeline';

describe('Athena', { timeout: 60_000 }, () => {
  it('answers who an instance talked to, with the outflow that stands out and what it cost', async () => {
    const { code, stdout, stderr } = await firebreak(['ir', 'flows', machine, '--json']);
    const answer = JSON.parse(stdout || '{}');

    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(answer.outflows[0]).toMatchObject({ peer: '198.51.100.77', bytesOut: 1_600_000_000 });
    expect(answer.conversations.map(({ peer }: { peer: string }) => peer)).toContain('198.51.100.200');
    const athena = answer.coverage.sources.find(({ name }: { name: string }) => name.includes('Athena'));
    expect(athena).toMatchObject({ failed: false, reason: expect.stringMatching(/^Athena read .*\$0\.00/) });
  });

  it('answers what an instance looked up, and who looked up a domain', async () => {
    const own = JSON.parse((await firebreak(['ir', 'dns', machine, '--json'])).stdout);
    const domain = JSON.parse((await firebreak(['ir', 'dns', 'minergate.example', '--json'])).stdout);

    expect(own.lookups).toEqual([
      expect.objectContaining({ queryName: 'xmr.pool.minergate.example', mark: expect.stringContaining('mining') }),
    ]);
    expect(domain.askers).toEqual([...minerInstances].sort());
  });

  it('asks each of the twelve named questions, and counts every instance of a launch of many', async () => {
    const questions = JSON.parse((await firebreak(['ir', 'athena', '--json'])).stdout).questions;
    expect(questions).toHaveLength(12);
    const answers = new Map<string, { rows: Record<string, string>[]; cost: { bytes: number } }>();
    for (const { name, takes } of questions) {
      const words = { instances: [...minerInstances.slice(0, 7)], principal: [user], address: [sharedIp] }[
        takes as 'instances' | 'principal' | 'address'
      ];
      const ran = await firebreak(['ir', 'athena', name, ...words, '--json']);
      // Without a row nothing tells that the launches were in the window.
      const expected = name === 'calls-from-destinations-of' ? 3 : 0;
      expect(`${name} ${ran.code} ${ran.stderr}`).toBe(`${name} ${expected} `);
      answers.set(name, JSON.parse(ran.stdout));
    }
    const rowsOf = (name: string) => answers.get(name)?.rows ?? [];

    expect(
      rowsOf('instances-launched-by')
        .map((row) => row.instanceid)
        .sort(),
    ).toEqual([...minerInstances].sort());
    expect(rowsOf('private-addresses-of')).toHaveLength(7);
    expect(
      rowsOf('destinations-of')
        .map((row) => row.dstaddr)
        .sort(),
    ).toEqual(['198.51.100.200', '198.51.100.77']);
    expect(rowsOf('principals-at').map((row) => row.principal)).toContain(user);
    expect(rowsOf('keys-of')[0]?.accesskeyid).toBe('AKIAIOSFODNN7EXAMPLE');
    expect(rowsOf('calls-from-destinations-of')).toEqual([]);
    expect(answers.get('calls-of')?.cost.bytes).toBeGreaterThan(0);
  }, 240_000);

  it('does not say that an instance did nothing where its launch was not in the window', async () => {
    const old = 'i-0123456789abcdef0';
    const { code, stdout } = await firebreak(['ir', 'athena', 'egress-of', machine, old, '--json']);
    const answer = JSON.parse(stdout);

    expect(code).toBe(3);
    expect(answer.rows.length).toBeGreaterThan(0);
    expect(answer.coverage).toMatchObject({
      ...{ complete: false, notLookedAt: [expect.stringMatching(`^${old}: interfaces are told by the launch alone`)] },
    });
  });

  it('keeps lookups to the Regions asked for', async () => {
    const there = await firebreak(['ir', 'dns', 'minergate.example', '--regions', 'eu-north-1', '--json'], {}, 'north');
    expect(JSON.parse(there.stdout).lookups).toEqual([]);
  });

  it('does not say that nobody looked up a domain where there are no query logs, or an account cannot be asked', async () => {
    const dns = async (...more: readonly string[]) => {
      const { code, stdout } = await firebreak(['ir', 'dns', 'nothing.example', '--json', ...more]);
      const { complete, accounts, notLookedAt, sources } = JSON.parse(stdout).coverage;
      return { code, complete, accounts, notLookedAt, reason: sources[0]?.reason };
    };
    const whole = { code: 0, complete: true, accounts: ['999999999999'], notLookedAt: [] };
    expect(await dns()).toMatchObject(whole);
    expect(await dns('--accounts', '999999999999,888877776666', '--regions', 'us-east-1')).toMatchObject({
      ...{ code: 3, complete: false, accounts: ['999999999999'] },
      notLookedAt: ['Resolver query logs of account 888877776666: Athena has no line of them in that time'],
    });
    expect(await dns('--accounts', '888877776666')).toMatchObject({
      ...{ code: 3, complete: false },
      reason: 'the Regions of account 888877776666 cannot be told (UnauthorizedOperation)',
    });
  });

  it('names the accounts of which it has no logs under each of the named questions', async () => {
    const ran = await firebreak([
      'ir',
      'athena',
      'flows-of',
      machine,
      '--accounts',
      '999999999999,888877776666',
      '--regions',
      'us-east-1',
      '--json',
    ]);
    const { rows, coverage } = JSON.parse(ran.stdout);
    expect(rows.length).toBeGreaterThan(0);
    expect(coverage).toMatchObject({
      ...{ complete: false, accounts: ['999999999999'] },
      notLookedAt: ['VPC flow logs of account 888877776666: Athena has no line of them in that time'],
    });
    expect(ran.code).toBe(3);
  });

  it('fills the lake in one pass and recurses there, never scanning again per hop', async () => {
    const before = aws.calls.filter(({ operation }) => operation === 'StartQueryExecution').length;
    const athena = await firebreak(['ir', 'pivot', machine, '--json'], { useFor: 'always' }, 'pass');
    const queries = aws.calls.filter(({ operation }) => operation === 'StartQueryExecution').length - before;
    const lookup = await firebreak(['ir', 'pivot', machine, '--json'], {}, 'none');
    const again = await firebreak(['ir', 'pivot', user, '--json'], { useFor: 'always' }, 'pass');

    const ids = ({ stdout }: Ran) =>
      JSON.parse(stdout)
        .nodes.map(({ kind, id }: { kind: string; id: string }) => `${kind} ${id}`)
        .sort();
    expect(queries).toBe(1);
    // Only Firebreak's own calls of these tests may differ.
    const others = (list: string[]) => list.filter((one) => !/IrAudit|888877776666/.test(one));
    expect(others(ids(athena))).toEqual(others(ids(lookup)));
    expect(ids(again)).toContain(`user ${user}`);
    expect(
      readdirSync(join(folder, 'pass')).filter((name) => name.startsWith('athena-') && !name.includes('.')),
    ).toEqual([]);
  });

  it('falls back to LookupEvents and says so where Athena refuses', async () => {
    const { code, stdout } = await firebreak(
      ['ir', 'who-created', machine, '--json'],
      { useFor: 'always', workgroup: 'nowhere' },
      'refused',
    );
    const answer = JSON.parse(stdout);

    expect(code).toBe(3);
    expect(answer.creator).toBe(user);
    expect(answer.coverage.sources[0]).toMatchObject({ failed: true, name: expect.stringContaining('Athena') });
  });

  it('asks nothing that the limits forbid, and says which', async () => {
    const before = aws.calls.filter(({ operation }) => operation === 'StartQueryExecution').length;
    const { code, stderr } = await firebreak(
      ['ir', 'athena', 'principals-at', sharedIp],
      { maxBytesPerQuery: '100MB', maxBytesPerDay: '10MB' },
      'poor',
    );

    expect(code).toBe(2);
    expect(stderr).toContain('The limit of Athena for this day');
    expect(aws.calls.filter(({ operation }) => operation === 'StartQueryExecution').length).toBe(before);
  });

  it('hands names that an attacker chose to Athena as parameters, never as SQL', async () => {
    const evil = "arn:aws:iam::999999999999:user/x')OR(1=1)--";
    const { stdout, code } = await firebreak(['ir', 'athena', 'calls-of', evil, '--json']);
    const answer = JSON.parse(stdout);

    expect(code).toBe(0);
    expect(answer.rows).toEqual([]);
    expect(answer.sql).not.toContain('1=1');
    expect(answer.parameters[0]).toBe(`'${evil.replaceAll("'", "''")}'`);
  });

  it('prints the CREATE TABLE statements, with projection of account, Region and day', async () => {
    const locations = { cloudtrail: 's3://trail', flowLogs: 's3://flows/a', dns: 's3://names' };
    const ran = await firebreak(['athena', 'ddl'], { locations, organizationId: 'o-exampleorgid' });

    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain(`'s3://trail/AWSLogs/o-exampleorgid/\${account}/CloudTrail/\${region}/\${day}'`);
    expect(ran.stdout).toContain(`'s3://flows/a/AWSLogs/\${account}/vpcflowlogs/\${region}/\${day}'`);
    expect(ran.stdout.match(/'projection\.account\.type' = 'injected'/g)).toHaveLength(3);
    const wrong = await firebreak(['athena', 'ddl'], { database: "x'; drop" });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('athena.database: is not a name')]);
    // The partitions name the Regions of an account that does not tell them.
    const refused = await firebreak(['athena', 'ddl'], { accountId: '888877776666', locations });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^firebreak: AWS answered UnauthorizedOperation: You are not authorized [^\n]*DescribeRegions[^\n]*\n$/,
      ),
    ]);
  });
});
