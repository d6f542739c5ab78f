import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../../demo/aws/state.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { fixesOf, readinessChecks } from '../../../src/domain/readiness.ts';
import { readiness } from '../../../workflows/investigation/readiness.ts';
import { openWatchedAccount, type WatchedAccount } from '../../fakes/watched-account.ts';

let account: WatchedAccount;
let state: Account;
beforeAll(async () => {
  account = await openWatchedAccount();
  const found = account.aws.state.accounts.get(account.accountId);
  if (found === undefined) throw new Error('the cast has changed');
  state = found;
  account.aws.state.intake.detectors.delete(`${account.accountId}/sa-east-1`);
});
afterAll(() => account?.close());

const evidence = {
  recordsOf: () => Promise.resolve([]),
  coverage: () => ({
    complete: true,
    accounts: [],
    regions: [],
    from: '',
    to: '',
    sources: [],
    badFiles: [],
    notLookedAt: [],
  }),
  progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
};

async function ask(only?: readonly string[]) {
  const steps: string[] = [];
  const report = await readiness.run(readiness.target.parse(only ? { only } : {}), {
    evidence,
    aws: account.reach,
    inventory: account.inventory,
    signal: new AbortController().signal,
    progress: (step) => steps.push(step),
    now: () => new Date('2026-11-20T00:00:00Z'),
  });
  const answerOf = (id: string, region?: string) =>
    report.answer.checks.find((check) => check.id === id && check.region === region)?.answer;
  return { report, answerOf, steps, text: plainText({ text: report.headline, parts: report.parts }) };
}

describe('the question for readiness', () => {
  it('answers each question per account and Region, and ranks what to fix', async () => {
    const { report, answerOf, steps, text } = await ask();

    expect(answerOf('audit-role')).toBe('yes');
    expect(answerOf('responder-role')).toBe('yes');
    expect(answerOf('trail')).toBe('yes');
    expect(answerOf('trail-validation')).toBe('no');
    expect(answerOf('data-events')).toBe('no');
    expect(answerOf('security-contact')).toBe('no');
    expect(answerOf('guardduty', 'us-east-1')).toBe('yes');
    expect(answerOf('guardduty-frequency', 'us-east-1')).toBe('no');
    expect(answerOf('guardduty', 'sa-east-1')).toBe('no');
    expect(answerOf('flow-logs', 'us-east-1')).toBe('no');
    expect(answerOf('dns-logs', 'us-east-1')).toBe('no');
    // A Region whose VPC holds nothing asks for no names.
    expect(answerOf('dns-logs', 'sa-east-1')).toBe('yes');
    expect(answerOf('open-metadata', 'us-east-1')).toBe('no');
    expect(answerOf('open-metadata', 'sa-east-1')).toBe('yes');
    expect(report.answer.fixes[0]).toMatchObject({
      check: 'guardduty',
      regions: expect.arrayContaining(['sa-east-1']),
    });
    expect(report.answer.fixes.map(({ weight }) => weight)).toEqual(
      report.answer.fixes.map(({ weight }) => weight).toSorted((a, b) => b - a),
    );
    expect(report.coverage.complete).toBe(true);
    expect(steps.at(-1)).toMatch(/17 of 17 Regions$/);
    expect(text).toContain('Switch GuardDuty on in these Regions');
  });

  it('names what no client of this version can ask for', async () => {
    const { report, text } = await ask();

    expect(report.answer.notLookedAt.join()).toMatch(/^S3 public access.*S3 Control.*EventBridge/);
    expect(text).toContain('Nobody asked about');
  });

  it('sees what is mended', async () => {
    const { posture } = state;
    posture.contacts.set('SECURITY', {
      Name: 'CERT',
      EmailAddress: 'cert@example.com',
      PhoneNumber: '1',
      Title: 'CERT',
    });
    for (const { region, vpcId } of state.instances) {
      if (region !== 'us-east-1') continue;
      posture.flowLogs.add(vpcId);
      state.services.queryLogs.add(vpcId);
    }
    posture.trails[0]?.dataEvents.push('AWS::S3::Object');
    const { answerOf } = await ask();

    expect([answerOf('security-contact'), answerOf('flow-logs', 'us-east-1'), answerOf('data-events')]).toEqual([
      'yes',
      'yes',
      'yes',
    ]);
    expect([answerOf('dns-logs', 'us-east-1'), answerOf('dns-logs', 'eu-west-1')]).toEqual(['yes', 'no']);

    // What another account shares is logged there.
    for (const { region, vpcId } of state.instances)
      if (region === 'eu-west-1') state.services.sharedVpcs.set(vpcId, '111122223333');
    const again = await ask();
    state.services.sharedVpcs.clear();
    expect(again.answerOf('dns-logs', 'eu-west-1')).toBe('yes');
  });

  it('says no where the trail was stopped', async () => {
    const [trail] = state.posture.trails;
    if (trail) trail.logging = false;
    const { answerOf } = await ask();
    if (trail) trail.logging = true;

    expect([answerOf('trail'), answerOf('trail-delivery')]).toEqual(['no', 'no']);
  });

  it.each([
    ['none', 'no management events'],
    ['WriteOnly', 'a part of the management events'],
  ] as const)('says no where the trail that runs records %s of the calls', async (recordsOnly, words) => {
    const [trail] = state.posture.trails;
    if (trail) Object.assign(trail, { recordsOnly, validation: true });
    const { report, answerOf } = await ask();
    if (trail) Object.assign(trail, { recordsOnly: undefined, validation: false });

    expect([answerOf('trail'), answerOf('trail-delivery')]).toEqual(['no', 'yes']);
    expect(report.answer.checks.find(({ id }) => id === 'trail')?.because).toContain(words);
    // Its files can be proven unchanged, and do not hold what an incident is looked for in.
    const validation = report.answer.checks.find(({ id }) => id === 'trail-validation');
    expect(validation).toMatchObject({ answer: 'no', because: expect.stringContaining('does not record all') });
    // Writes of objects alone do not say what was taken.
    expect(answerOf('data-events')).toBe(recordsOnly === 'WriteOnly' ? 'no' : 'yes');
  });

  it('counts no flow logs that keep only what was refused', async () => {
    state.posture.flowLogTraffic = 'REJECT';
    const { answerOf } = await ask();
    state.posture.flowLogTraffic = undefined;

    expect(answerOf('flow-logs', 'us-east-1')).toBe('no');
  });

  it('never takes a refusal for an answer', async () => {
    const stops = [
      account.aws.fail({ operation: 'ListDetectors', region: 'sa-east-1', how: 'accessDenied' }),
      account.aws.fail({ operation: 'DescribeTrails', how: 'html' }),
      account.aws.fail({ operation: 'GetAlternateContact', how: '500' }),
      account.aws.fail({
        operation: 'ListResolverQueryLogConfigAssociations',
        region: 'us-east-1',
        how: 'accessDenied',
      }),
    ];
    const { report, answerOf } = await ask();
    for (const stop of stops) stop();

    expect(answerOf('guardduty', 'sa-east-1')).toBe('could-not-look');
    expect(answerOf('trail')).toBe('could-not-look');
    expect(answerOf('security-contact')).toBe('could-not-look');
    expect(answerOf('dns-logs', 'us-east-1')).toBe('could-not-look');
    expect(answerOf('dns-logs', 'eu-west-1')).toBe('no');
    expect(answerOf('guardduty', 'us-east-1')).toBe('yes');
    expect(report.coverage.complete).toBe(false);
    expect(report.coverage.notLookedAt.join('\n')).toMatch(/Is GuardDuty on\? \(\d{12}, sa-east-1\): AccessDenied/);
    expect(report.headline).toContain('not everything could be looked at');
  });

  it('does not wait for DNS logs that hang longer than for one call', async () => {
    const stop = account.aws.fail({ operation: 'ListResolverQueryLogConfigs', region: 'eu-west-1', how: 'hang' });
    const { report, answerOf } = await ask();
    stop();

    expect(answerOf('dns-logs', 'eu-west-1')).toBe('could-not-look');
    expect(answerOf('flow-logs', 'eu-west-1')).toBe('no');
    expect(report.coverage.notLookedAt[0]).toMatch(/eu-west-1\): no answer within 20 seconds$/);
  }, 90_000);

  it('says of an account that cannot be opened that nothing is known of it', async () => {
    const { report } = await ask(['000000000000']);

    expect(report.answer.checks.find(({ id }) => id === 'audit-role')).toMatchObject({ answer: 'no' });
    expect(new Set(report.answer.checks.slice(1).map(({ answer }) => answer))).toEqual(new Set(['could-not-look']));
    expect(report.coverage.complete).toBe(false);
  });
});

describe('the ranking', () => {
  it('counts Regions where nothing is expected for less', () => {
    const posture = (region: string) => ({
      region,
      detector: { ok: true as const, value: undefined },
      vpcs: { ok: true as const, value: { all: 0, without: [] } },
      dnsLogs: { ok: true as const, value: { used: 0, without: [], configs: 0 } },
      tokens: { ok: true as const, value: 'required' },
      openMetadata: { ok: true as const, value: [] },
    });
    const nothing = {
      trails: undefined,
      securityContact: undefined,
      responderRole: { ok: true as const, value: true },
    };
    const checks = (id: string, region: string) =>
      readinessChecks({ accountId: id, ...nothing, regions: [posture(region)] }, undefined);
    const inventory = ['111111111111', '222222222222'].map((id) => ({ id, expectedRegions: ['eu-west-1'] }));

    const fixes = fixesOf([...checks('111111111111', 'sa-east-1'), ...checks('222222222222', 'eu-west-1')], inventory);

    expect(fixes.map(({ accountId, weight }) => [accountId, weight])).toEqual([
      ['222222222222', 80],
      ['111111111111', 40],
    ]);
  });
});
