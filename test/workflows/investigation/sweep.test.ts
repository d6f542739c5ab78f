import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hourlyPrice, isDear } from '../../../src/domain/instance-prices.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { triage } from '../../../workflows/investigation/triage.ts';
import { openWatchedAccount, type WatchedAccount } from '../../fakes/watched-account.ts';

let account: WatchedAccount;
beforeAll(async () => {
  account = await openWatchedAccount();
});
afterAll(() => account?.close());

async function sweep(expectedRegions?: readonly string[]) {
  const coverage = {
    ...{ complete: true, accounts: [account.accountId], regions: ['us-east-1'], badFiles: [], notLookedAt: [] },
    ...{ from: '2020-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' },
    sources: [],
  };
  const report = await triage.run(triage.target.parse({}), {
    evidence: {
      recordsOf: () => Promise.resolve([]),
      async *all() {},
      coverage: () => coverage,
      progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
    },
    aws: account.reach,
    inventory: account.inventory.map((entry) => ({ ...entry, expectedRegions })),
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date(),
  });
  return { ...report, text: plainText({ text: report.headline, parts: report.parts }) };
}

describe('the sweep of a triage', () => {
  it('finds what runs in every Region, with an estimate of its cost, though the log is empty', async () => {
    const { answer, headline, text, coverage } = await sweep();
    const live = [...(account.aws.state.accounts.get(account.accountId)?.instances.values() ?? [])].filter(
      ({ state }) => state === 'running',
    );

    expect(answer.sweep.regionsLookedAt).toBe(17);
    expect(answer.sweep.instances.reduce((sum, one) => sum + one.running, 0)).toBe(live.length);
    expect(answer.sweep.hourly).toBeGreaterThan(0);
    expect(answer.sweep.prices).toContain('on-demand');
    expect(headline).toBe(
      'GuardDuty reports 4 findings, the gravest High 8.0 CryptoCurrency:EC2/BitcoinTool.B; 3 things in other services stand out (SageMaker training jobs, SageMaker notebooks, alternate contacts). No grave match in the log of what was looked at; 3 of 18 questions have hits.',
    );
    expect(text).toMatch(/Estimate: \$[\d,.]+ per hour/);
    expect(text).not.toMatch(/\bclean\b/);
    expect(coverage.complete).toBe(true);
  });

  it('says in its verdict that GPU machines run, wherever they are', async () => {
    const machines = account.aws.state.accounts.get(account.accountId)?.instances ?? [];
    const [one] = machines;
    if (one === undefined) throw new Error('the cast has changed');
    machines.push({ ...one, id: 'i-0123456789abcdef0', region: 'sa-east-1', type: 'p3.16xlarge', state: 'running' });
    const { answer, headline } = await sweep();
    machines.pop();

    expect(headline).toMatch(
      /; 1 GPU or very large instance runs now; 3 things in other services .* No grave match in the log/,
    );
    expect(answer.sweep.instances[0]).toMatchObject({
      type: 'p3.16xlarge',
      region: 'sa-east-1',
      dear: true,
      hourly: 24.48,
    });
  });

  it('says where something runs that is not expected there', async () => {
    const { answer, headline, next } = await sweep(['eu-central-1']);

    expect(answer.sweep.unexpectedRegions).toContain('us-east-1');
    expect(headline).toMatch(/instances? runs? where nothing is expected/);
    expect(next[0]).toMatch(/^\/ir who-created i-/);
    expect(answer.plan.join('\n')).toMatch(/Ask who made i-[0-9a-f]+/);
    expect((await sweep(['us-east-1', 'eu-west-1'])).answer.sweep.unexpectedRegions).toEqual([
      'sa-east-1',
      'ap-southeast-1',
    ]);
  });

  it('names users and keys made in the window, and what was not asked about', async () => {
    const { answer } = await sweep();

    expect(answer.sweep.identities).toContainEqual(expect.objectContaining({ kind: 'key', of: 'pipeline' }));
    expect(answer.sweep.notLookedAt).toEqual(expect.arrayContaining(['EKS clusters', 'Batch jobs']));
    expect(answer.sweep.notLookedAt.join()).toMatch(/accounts of the organisation.*AccessDenied/);
  });

  it('is not complete where a Region refuses, and says which', async () => {
    const stop = account.aws.fail({ operation: 'DescribeInstances', region: 'sa-east-1', how: 'accessDenied' });
    const { answer, coverage } = await sweep();
    stop();

    expect(answer.sweep.failures).toEqual([
      expect.stringMatching(/^EC2 instances of \d{12} in sa-east-1: UnauthorizedOperation/),
    ]);
    expect(coverage.complete).toBe(false);
    expect(coverage.notLookedAt).toEqual(answer.sweep.failures);
    // The log was read to its end: its questions stay answered.
    expect(answer.steps.filter(({ now }) => now === undefined).map(({ state }) => state)).not.toContain(
      'not-looked-at',
    );
    expect(answer.steps.every(({ state }) => state !== 'not-looked-at')).toBe(true);
  });
});

describe('prices', () => {
  it.each([
    ['m5.large', 0.096],
    ['m5.24xlarge', 4.608],
    ['t3.micro', 0.0104],
    ['p3.16xlarge', 24.48],
    ['zz9.large', undefined],
    ['', undefined],
  ])('%s costs %s', (type, price) => {
    if (price === undefined) expect(hourlyPrice(type)).toBeUndefined();
    else expect(hourlyPrice(type)).toBeCloseTo(price, 4);
  });

  it('calls accelerated and very large types dear', () => {
    expect(
      ['p3.2xlarge', 'g4dn.xlarge', 'c5.18xlarge', 'm7i.metal-24xl', 'trn1.2xlarge'].filter((type) => !isDear(type)),
    ).toEqual([]);
    expect(['t3.micro', 'm5.4xlarge', 'c5.8xlarge', ''].filter(isDear)).toEqual([]);
  });
});
