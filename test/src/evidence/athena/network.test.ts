/** Flows and lookups of Athena: what its rows tell that was not looked at. */
import { describe, expect, it } from 'vitest';
import type { AthenaQuestions } from '../../../../src/contracts/athena.ts';
import { heardStatement } from '../../../../src/domain/athena/queries.ts';
import { AthenaSection } from '../../../../src/domain/athena/settings.ts';
import { athenaNetwork } from '../../../../src/evidence/athena/network.ts';

const settings = AthenaSection.parse({
  ...{ accountId: '111122223333', region: 'us-east-1', workgroup: 'w', database: 'd' },
  ...{ tables: { flowLogs: 'flows', dns: 'dns' }, dnsVpcs: ['vpc-0a1b2c3d'] },
});

/** Athena with an answer ready. @param heard accounts that it has any logs of */
function answering(
  rows: readonly Readonly<Record<string, string | undefined>>[],
  heard: readonly string[] = [],
): AthenaQuestions {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return {
    scope: async () => ({
      ...{ accounts: ['111122223333'], regions: ['eu-west-1'] },
      ...{ from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' },
    }),
    named: () => {
      throw new Error('not asked');
    },
    heard: (table, asked) => heardStatement(settings, table, asked),
    dollars: () => 0,
    estimate: async () => ({ bytes: undefined, because: '' }),
    ask: async ({ title }) => ({
      ...{ columns, truncated: false, queryExecutionId: 'q', bytes: 1 },
      rows:
        title === 'which accounts have any logs'
          ? heard.map((account) => [account])
          : rows.map((row) => columns.map((column) => row[column])),
    }),
    spent: () => ({ bytes: 0, dollars: 0, queries: 0 }),
  };
}

const signal = new AbortController().signal;

describe('an answer of Athena', () => {
  it('tells intervals that AWS skipped, and does not take them for flows', async () => {
    const place = { accountid: '111122223333', region: 'eu-west-1' };
    const flow = {
      srcaddr: '10.0.0.5',
      dstaddr: '203.0.113.9',
      isskipped: 'false',
      flows: '2',
      bytes: '500',
      ...place,
    };
    const skipped = { srcaddr: '', dstaddr: '', isskipped: 'true', flows: '3', bytes: undefined, ...place };
    const logs = athenaNetwork(answering([flow, skipped]), settings, signal, 10);
    const told = await logs.flows?.({ addresses: ['10.0.0.5'], interfaces: [], instances: [] });

    expect(told?.groups).toEqual([expect.objectContaining({ srcaddr: '10.0.0.5', bytes: 500 })]);
    expect(told?.coverage).toMatchObject({
      ...{ complete: false, sources: [expect.objectContaining({ events: 2 })] },
      notLookedAt: ['3 intervals that AWS itself could not record in full (SKIPDATA)'],
    });
  });

  it('vouches for no account of which there is no line, and for those whose lines are of others', async () => {
    const other = { srcaddr: '', iswanted: 'false', isskipped: 'false', flows: '900', region: 'eu-west-1' };
    const ask = async (accountid: string) => {
      const logs = athenaNetwork(answering([{ ...other, accountid }]), settings, signal, 10);
      return logs.flows?.({ addresses: ['10.0.0.5'], interfaces: [], instances: [] });
    };
    expect(await ask('111122223333')).toMatchObject({
      ...{ groups: [], coverage: { complete: true, accounts: ['111122223333'], regions: ['eu-west-1'] } },
    });
    expect(await ask('444455556666')).toMatchObject({
      groups: [],
      coverage: {
        ...{ complete: false, accounts: [] },
        notLookedAt: ['VPC flow logs of account 111122223333: Athena has no line of them in that time'],
      },
    });
  });

  it('vouches for lookups of no VPC that its table does not have', async () => {
    const logs = athenaNetwork(answering([]), settings, signal, 10);
    const ask = (vpcs: readonly string[]) =>
      logs.lookups?.({ addresses: ['10.0.0.5'], instances: [], vpcs, domains: [] });

    expect((await ask([]))?.coverage).toMatchObject({
      ...{ complete: false, notLookedAt: ['query logs of VPCs other than vpc-0a1b2c3d (athena.dnsVpcs)'] },
    });
    expect((await ask(['vpc-0ffffffff']))?.coverage.complete).toBe(false);
    expect((await ask(['vpc-0a1b2c3d']))?.coverage.complete).toBe(true);
  });

  it('vouches for no account that has no query logs, where who looked up a domain was asked', async () => {
    const ask = async (heard: readonly string[]) => {
      const logs = athenaNetwork(answering([], heard), { ...settings, dnsVpcs: [] }, signal, 10);
      return (await logs.lookups?.({ addresses: [], instances: [], vpcs: [], domains: ['a.example'] }))?.coverage;
    };
    expect(await ask(['111122223333'])).toMatchObject({ complete: true, accounts: ['111122223333'] });
    expect(await ask([])).toMatchObject({
      ...{ complete: false, accounts: [] },
      notLookedAt: ['Resolver query logs of account 111122223333: Athena has no line of them in that time'],
    });
  });
});
