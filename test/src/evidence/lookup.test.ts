import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../src/contracts/artifact.ts';
import type { Clock } from '../../../src/contracts/clock.ts';
import type { Evidence, EvidenceProgress } from '../../../src/contracts/evidence.ts';
import { type LookupOptions, openLookupEvidence } from '../../../src/evidence/lookup.ts';
import { type EventHistory, eventHistory } from './event-history.ts';
import { quiet, sample, sessionSample } from './samples.ts';

const account = '111122223333';
const alice: Artifact = { kind: 'user', id: `arn:aws:iam::${account}:user/alice` };
const address: Artifact = { kind: 'ip', id: '198.51.100.7' };

interface Trial {
  readonly evidence: Evidence;
  readonly slots: string[];
  readonly sleeps: number[];
}

function open(history: EventHistory, options: Partial<LookupOptions> = {}): Trial {
  const slots: string[] = [];
  const sleeps: number[] = [];
  const clock: Clock = {
    now: () => new Date('2026-11-21T00:00:00Z'),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
    },
  };
  const evidence = openLookupEvidence({
    reach: history.reach,
    accounts: [account],
    window: { from: '2026-11-14T00:00:00Z', to: '2026-11-21T00:00:00Z' },
    budget: { maxRequests: 1000, maxEvents: 10_000 },
    reserveSlot: async (lane, everyMs) => {
      slots.push(`${lane} ${everyMs}`);
      return 505;
    },
    clock,
    signal: new AbortController().signal,
    log: quiet,
    random: () => 0.5,
    ...options,
  });
  return { evidence, slots, sleeps };
}

/** `count` records over six days, newest last. */
function many(count: number, options: Parameters<typeof sample>[0] = {}): Record<string, unknown>[] {
  const start = Date.parse('2026-11-14T06:00:00Z');
  const step = (6 * 86_400_000) / count;
  return Array.from({ length: count }, (_, i) =>
    sample({ at: new Date(start + Math.floor((i * step) / 1000) * 1000).toISOString(), ...options }),
  );
}

function source(evidence: Evidence, region: string) {
  return evidence.coverage().sources.find((one) => one.name === `CloudTrail LookupEvents ${region} ${account}`);
}

describe('LookupEvents', () => {
  it('asks for a user by name in every Region, pages to the end, and sorts out namesakes', async () => {
    const history = await eventHistory({
      [account]: [...many(120), ...many(3, { region: 'us-east-1' }), sessionSample('alice', { id: 'namesake' })],
    });
    const { evidence, slots } = open(history);
    const records = await evidence.recordsOf(alice);

    expect(records).toHaveLength(123);
    expect(records.map((record) => record.eventTime)).toEqual(records.map((record) => record.eventTime).sort());
    expect(records.some((record) => record.eventID === 'namesake')).toBe(false);
    const inEurope = history.asks.filter((ask) => ask.region === 'eu-west-1');
    expect(inEurope.map((ask) => [ask.attribute, ask.token])).toEqual([
      ['Username=alice', undefined],
      ['Username=alice', '50'],
      ['Username=alice', '100'],
    ]);
    expect(new Set(inEurope.map((ask) => `${ask.from} ${ask.to}`)).size).toBe(1);
    expect(
      history.asks
        .filter((ask) => ask.region === 'us-east-1')
        .map((ask) => ask.attribute)
        .sort(),
    ).toEqual(['ResourceName=alice', `ResourceName=${alice.id}`, 'Username=alice']);
    expect(slots.filter((slot) => slot === `lookup-events:${account}:eu-west-1 505`)).toHaveLength(3);
    expect(evidence.coverage()).toMatchObject({
      complete: true,
      accounts: [account],
      regions: ['eu-west-1', 'us-east-1'],
      from: '2026-11-14T00:00:00Z',
      to: '2026-11-21T00:00:00Z',
    });
    expect(source(evidence, 'eu-west-1')).toMatchObject({ events: 121, pages: 3, truncated: false, failed: false });
  });

  it('asks nothing before the first question and nothing twice', async () => {
    const history = await eventHistory({ [account]: many(3) });
    const { evidence } = open(history);
    expect(evidence.coverage()).toMatchObject({ complete: false, sources: [] });
    await evidence.recordsOf(alice);
    const asked = history.asks.length;
    await evidence.recordsOf(alice);

    expect(history.asks).toHaveLength(asked);
  });

  it('scans once per Region for an address, in slices, and answers everything after that from memory', async () => {
    const history = await eventHistory({
      [account]: [...many(400), ...many(5, { region: 'us-east-1', ip: '203.0.113.9' })],
    });
    const { evidence } = open(history);

    expect(await evidence.recordsOf(address)).toHaveLength(400);
    const asked = history.asks.length;
    expect(history.asks.every((ask) => ask.attribute === '')).toBe(true);
    expect(new Set(history.asks.filter((ask) => ask.region === 'eu-west-1').map((ask) => ask.from)).size).toBe(11);
    expect(await evidence.recordsOf({ kind: 'ip', id: '203.0.113.9' })).toHaveLength(5);
    expect(await evidence.recordsOf(alice)).toHaveLength(405);
    expect(history.asks).toHaveLength(asked);
    expect(evidence.coverage().complete).toBe(true);
  });

  it.each<[Artifact['kind'], string, readonly string[]]>([
    ['accessKey', 'ASIAQNZGKIQY56JQ7WML', ['AccessKeyId=ASIAQNZGKIQY56JQ7WML', 'ResourceName=ASIAQNZGKIQY56JQ7WML']],
    ['accessKey', 'AKIAIOSFODNN7EXAMPLE', ['AccessKeyId=AKIAIOSFODNN7EXAMPLE']],
    ['event', '3fcfb182-98f8-4744-bd45-10a395ab61cb', ['EventId=3fcfb182-98f8-4744-bd45-10a395ab61cb']],
    ['root', `arn:aws:iam::${account}:root`, ['Username=root']],
    ['role', `arn:aws:iam::${account}:role/team/ops`, [`ResourceName=arn:aws:iam::${account}:role/team/ops`]],
    [
      'session',
      `arn:aws:sts::${account}:assumed-role/ops/me@example.com`,
      [`ResourceName=arn:aws:sts::${account}:assumed-role/ops/me@example.com`, 'Username=me@example.com'],
    ],
    ['resource', 'i-0123456789abcdef0', ['ResourceName=i-0123456789abcdef0', 'Username=i-0123456789abcdef0']],
    [
      'resource',
      'arn:aws:s3:::bucket/key',
      ['ResourceName=arn:aws:s3:::bucket/key', 'ResourceName=bucket', 'ResourceName=key'],
    ],
    ['resource', `arn:aws:lambda:us-east-2:${account}:function:pay`, []],
  ])('asks for a %s by the attributes that find it (%s)', async (kind, id, attributes) => {
    const history = await eventHistory({ [account]: [] });
    const { evidence } = open(history);
    await evidence.recordsOf({ kind, id });

    expect(
      history.asks
        .filter((ask) => ask.region === 'eu-west-1')
        .map((ask) => ask.attribute)
        .sort(),
    ).toEqual(attributes);
  });

  it('backs off when throttled and goes on', async () => {
    const history = await eventHistory({ [account]: many(60) });
    let throttles = 3;
    history.behave((ask) => (ask.region === 'eu-west-1' && throttles-- > 0 ? 'throttle' : 'answer'));
    const { evidence, sleeps } = open(history);

    expect(await evidence.recordsOf(alice)).toHaveLength(60);
    expect(evidence.coverage().complete).toBe(true);
    expect(sleeps.filter((ms) => ms !== 505)).toEqual([500, 1000, 2000]);
  });

  it('gives up on endless throttling and says so', async () => {
    const history = await eventHistory({ [account]: many(3) });
    history.behave(() => 'throttle');
    const { evidence } = open(history);

    expect(await evidence.recordsOf(alice)).toEqual([]);
    expect(source(evidence, 'eu-west-1')).toMatchObject({
      failed: true,
      reason: expect.stringMatching(/^ThrottlingException/),
    });
    expect(history.asks.filter((ask) => ask.region === 'eu-west-1')).toHaveLength(8);
  });

  it.each([
    ['denied', /^AccessDeniedException/, 1],
    ['html', /was not AWS's/, 3],
    ['empty', /was not AWS's/, 1],
    ['reset', /ECONNRESET|TimeoutError|socket hang up/, 3],
    ['hang', /^no answer within 0.2 s/, 3],
  ] as const)('goes on without a Region that answers with: %s', async (reply, reason, requests) => {
    const history = await eventHistory({ [account]: [...many(2), ...many(2, { region: 'us-east-1' })] });
    history.behave((ask) => (ask.region === 'eu-west-1' ? reply : 'answer'));
    const { evidence } = open(history, { requestTimeoutMs: 200 });

    expect(await evidence.recordsOf(alice)).toHaveLength(2);
    const coverage = evidence.coverage();
    expect(coverage.complete).toBe(false);
    expect(source(evidence, 'eu-west-1')).toMatchObject({ failed: true, reason: expect.stringMatching(reason) });
    expect(source(evidence, 'us-east-1')).toMatchObject({ failed: false });
    expect(coverage.notLookedAt.join()).toContain('CloudTrail LookupEvents eu-west-1');
    expect(history.asks.filter((ask) => ask.region === 'eu-west-1')).toHaveLength(requests);
    await evidence.recordsOf(address);
    expect(history.asks.filter((ask) => ask.region === 'eu-west-1')).toHaveLength(requests);
  });

  it('keeps the readable events of a page and says that some were not', async () => {
    const history = await eventHistory({ [account]: many(4) });
    history.behave(() => 'broken');
    const { evidence } = open(history);

    expect(await evidence.recordsOf(alice)).toHaveLength(3);
    expect(source(evidence, 'eu-west-1')).toMatchObject({
      failed: true,
      reason: expect.stringMatching(/^1 events could not be read/),
    });
  });

  it('stops when AWS repeats a page token', async () => {
    const history = await eventHistory({ [account]: many(3) });
    const reader = await history.reach.reader(account);
    const endless = {
      ...reader,
      cloudtrail: () => ({ send: async () => ({ Events: [], NextToken: 'again' }) }),
    } as unknown as typeof reader;
    const { evidence } = open({ ...history, reach: { ...history.reach, reader: async () => endless } });
    await evidence.recordsOf(alice);

    expect(source(evidence, 'eu-west-1')).toMatchObject({ failed: true, reason: 'AWS sent the same page token twice' });
  });

  it('spends no more than its budget of requests and says what was left', async () => {
    const history = await eventHistory({ [account]: many(1000) }, { regions: ['us-east-1', 'eu-west-1'] });
    const { evidence } = open(history, { budget: { maxRequests: 6, maxEvents: 10_000 } });
    const records = await evidence.recordsOf(alice);

    expect(history.asks).toHaveLength(6);
    expect(records.length).toBeGreaterThan(0);
    const coverage = evidence.coverage();
    expect(coverage.complete).toBe(false);
    expect(source(evidence, 'eu-west-1')).toMatchObject({
      truncated: true,
      failed: false,
      reason: 'the budget of 6 requests is spent',
    });
    expect(coverage.notLookedAt[0]).toBe(
      `the rest of CloudTrail LookupEvents eu-west-1 ${account}: the budget of 6 requests is spent`,
    );
  });

  it('keeps no more events than its budget', async () => {
    const history = await eventHistory({ [account]: many(200) });
    const { evidence } = open(history, { budget: { maxRequests: 100, maxEvents: 70 } });

    expect(await evidence.recordsOf(alice)).toHaveLength(70);
    expect(source(evidence, 'eu-west-1')).toMatchObject({
      truncated: true,
      reason: 'the budget of 70 events is spent',
    });
  });

  it('adds the Region of IAM where the operator left it out, per partition', async () => {
    const here = await eventHistory({ [account]: [] });
    const { evidence } = open(here, { regions: ['eu-west-1'] });
    await evidence.recordsOf(alice);
    const china = await eventHistory({ [account]: [] }, { partition: 'aws-cn' });
    const beijing = open(china, { regions: ['cn-northwest-1'] }).evidence;
    await beijing.recordsOf({ kind: 'user', id: `arn:aws-cn:iam::${account}:user/alice` });

    expect(evidence.coverage().regions).toEqual(['eu-west-1', 'us-east-1']);
    expect(evidence.coverage().notLookedAt).toContain('Regions other than eu-west-1, us-east-1: not asked for');
    expect(beijing.coverage().regions).toEqual(['cn-north-1', 'cn-northwest-1']);
  });

  it('says that the history ends after 90 days', async () => {
    const history = await eventHistory({ [account]: many(2) });
    const { evidence } = open(history, { window: { from: '2026-01-01T00:00:00Z', to: '2026-11-21T00:00:00Z' } });
    await evidence.recordsOf(alice);
    const { evidence: all } = open(history, { window: { to: '2026-11-21T00:00:00Z' } });
    await all.recordsOf(alice);

    expect(evidence.coverage()).toMatchObject({ complete: false, from: '2026-08-23T00:00:00Z' });
    expect(evidence.coverage().notLookedAt[0]).toBe('before 2026-08-23T00:00:00Z: LookupEvents goes back 90 days');
    expect(all.coverage()).toMatchObject({ complete: true, from: '2026-08-23T00:00:00Z' });
  });

  it('names what the event history never has without calling the answer incomplete', async () => {
    const history = await eventHistory({ [account]: [] });
    const { evidence } = open(history);
    await evidence.recordsOf(alice);

    expect(evidence.coverage().complete).toBe(true);
    expect(evidence.coverage().notLookedAt.join()).toMatch(/data events.*last 15 minutes/);
  });

  it('finds the role of another account that a user switched to in the console, whatever the Region', async () => {
    const other = '444455556666';
    const switched = {
      eventVersion: '1.08',
      userIdentity: {
        type: 'AssumedRole',
        principalId: 'AROAQNZGKIQY56JQ7WMLA:alice',
        arn: `arn:aws:sts::${other}:assumed-role/admin/alice`,
        accountId: other,
      },
      eventTime: '2026-11-20T20:00:00Z',
      eventSource: 'signin.amazonaws.com',
      eventName: 'SwitchRole',
      awsRegion: 'eu-west-1',
      sourceIPAddress: '203.0.113.9',
      userAgent: 'Mozilla/5.0',
      responseElements: { SwitchRole: 'Success' },
      additionalEventData: { SwitchFrom: alice.id, RedirectTo: 'https://console.aws.amazon.com/console/home' },
      eventID: '70627092-0c9c-4163-9975-42ffcc50a37a',
      eventType: 'AwsConsoleSignIn',
      recipientAccountId: other,
    };
    const history = await eventHistory({ [account]: [], [other]: [switched] });
    const { evidence } = open(history, { accounts: [account, other] });

    expect(await evidence.recordsOf(alice)).toMatchObject([{ eventName: 'SwitchRole' }]);
  });

  it('asks several accounts, each for its own, and goes on without one that cannot be opened', async () => {
    const other = '444455556666';
    const history = await eventHistory({ [account]: many(2), [other]: many(3, { account: other }) });
    const reach = {
      ...history.reach,
      reader: async (id: string) => {
        if (id === '777788889999')
          throw Object.assign(new Error('cannot assume the audit role'), { name: 'AccessDenied' });
        return history.reach.reader(id);
      },
    };
    const { evidence } = open({ ...history, reach }, { accounts: [account, other, '777788889999'] });

    expect(await evidence.recordsOf(alice)).toHaveLength(2);
    expect(history.asks.filter((ask) => ask.account === other && ask.attribute !== 'Username=alice')).toEqual([]);
    expect(await evidence.recordsOf({ kind: 'account', id: other })).toHaveLength(3);
    expect(evidence.coverage()).toMatchObject({ complete: false, accounts: [account, other] });
    expect(evidence.coverage().sources[0]).toMatchObject({
      name: 'CloudTrail LookupEvents 777788889999',
      failed: true,
      reason: 'AccessDenied: cannot assume the audit role',
    });
  });

  it('drops copies of one record and keeps events that share an id', async () => {
    const one = sample({ id: '1' });
    const history = await eventHistory({ [account]: [one, one, { ...one, eventName: 'RunInstances' }] });
    expect(await open(history).evidence.recordsOf(alice)).toHaveLength(2);
  });

  it('tells how far it is', async () => {
    const seen: EvidenceProgress[] = [];
    const history = await eventHistory({ [account]: many(120) });
    const { evidence } = open(history, { onProgress: (progress) => seen.push(progress) });
    await evidence.recordsOf(alice);

    expect(seen.at(-1)).toEqual({ regionsDone: 2, regions: 2, eventsRead: 120, requests: 6 });
    expect(evidence.progress()).toEqual(seen.at(-1));
  });

  it('stops at once when aborted', async () => {
    const stop = new AbortController();
    const history = await eventHistory({ [account]: many(120) });
    history.behave(() => {
      stop.abort(new Error('shutting down'));
      return 'hang';
    });
    const { evidence } = open(history, { signal: stop.signal });

    await expect(evidence.recordsOf(alice)).rejects.toThrow('shutting down');
  });
});
