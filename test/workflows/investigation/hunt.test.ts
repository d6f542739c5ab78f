import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { UserError } from '../../../src/contracts/errors.ts';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { hunt } from '../../../workflows/investigation/hunt.ts';
import { record, session, user } from '../../src/domain/pivot-records.ts';

const coverage = {
  complete: true,
  accounts: ['999999999999'],
  regions: ['us-east-1'],
  from: '2026-11-20T00:00:00Z',
  to: '2026-11-21T00:00:00Z',
  sources: [{ name: 'test', events: 1, pages: 1, truncated: false, failed: false }],
  badFiles: [],
  notLookedAt: [],
};

function evidenceOf(records: readonly CloudTrailRecord[], more: Partial<Evidence> = {}): Evidence {
  return {
    recordsOf: () => Promise.resolve([]),
    async *all() {
      yield* records;
    },
    coverage: () => coverage,
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: records.length, requests: 0 }),
    ...more,
  };
}

function run(
  records: readonly CloudTrailRecord[],
  pick = 'all',
  rules?: readonly { readonly path: string; readonly text: string }[],
) {
  return hunt.run(hunt.target.parse({ pick }), {
    evidence: evidenceOf(records),
    aws: undefined,
    rules,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-21T00:00:00Z'),
  });
}

const stopLogging = record({
  eventName: 'StopLogging',
  eventSource: 'cloudtrail.amazonaws.com',
  userIdentity: user('mallory'),
  sourceIPAddress: '203.0.113.9',
});
const listing = Array.from({ length: 30 }, () =>
  record({
    eventName: 'DescribeInstances',
    readOnly: true,
    userIdentity: user('alice'),
    sourceIPAddress: '198.51.100.7',
  }),
);

/** `count` instances terminated in calls of `perCall`, each call by a new session of one role. */
function terminations(count: number, perCall: number, everySeconds: number): readonly CloudTrailRecord[] {
  return Array.from({ length: Math.ceil(count / perCall) }, (_, at) => {
    const ids = Array.from({ length: Math.min(perCall, count - at * perCall) }, (_, n) => ({
      instanceId: `i-0000000000000${String(at * perCall + n).padStart(4, '0')}`,
    }));
    return record({
      eventName: 'TerminateInstances',
      eventTime: new Date(Date.UTC(2026, 10, 20, 3, 0, at * everySeconds)).toISOString(),
      userIdentity: session('ops', `run-${at}`),
      responseElements: { instancesSet: { items: ids } },
    });
  });
}

const burst = 'instances-terminated-in-burst';

describe('a hunt', () => {
  it('answers in the shape that others read', async () => {
    const { answer } = await run([stopLogging]);

    expect(answer).toEqual({
      matches: [
        {
          rule: 'cloudtrail-logging-stopped',
          level: 'critical',
          technique: ['T1562.008', 'T1685.002'],
          tactic: ['Defense Evasion', 'Defense Impairment'],
          eventId: stopLogging.eventID,
          eventTime: stopLogging.eventTime,
          principal: 'arn:aws:iam::999999999999:user/mallory',
          sourceIp: '203.0.113.9',
        },
      ],
      unsupportedRules: [],
      coverage,
    });
  });

  it('takes no event of CloudTrail Insights for the calls that it counts, and asks rules about Insights', async () => {
    const insight = record({
      eventName: undefined,
      eventSource: undefined,
      userIdentity: undefined,
      eventType: 'AwsCloudTrailInsight',
      eventCategory: 'Insight',
      insightDetails: {
        state: 'Start',
        eventSource: 'cloudtrail.amazonaws.com',
        eventName: 'StopLogging',
        insightType: 'ApiCallRateInsight',
      },
    });
    const rule = (name: string, selection: string) => ({
      path: `${name}.yml`,
      text: `title: ${name}\nname: ${name}\ndetection: {sel: ${selection}, condition: sel}\n`,
    });

    const { answer } = await run([insight], 'all', [
      rule('rate', '{insightDetails.insightType: ApiCallRateInsight}'),
      rule('category', '{eventCategory: Insight, eventName: StopLogging}'),
    ]);

    expect(answer.matches.map((match) => match.rule).sort()).toEqual(['category', 'rate']);
  });

  it('puts what is rare and severe first, and what the console does all day in one line at the end', async () => {
    const { answer, parts, next, headline } = await run([...listing, stopLogging]);
    const text = plainText({ text: headline, parts });

    expect(answer.matches[0]?.rule).toBe('cloudtrail-logging-stopped');
    expect(answer.matches).toHaveLength(31);
    expect(text.indexOf('CloudTrail stopped')).toBeLessThan(text.indexOf('Background: 30 low matches'));
    expect(text).not.toContain('alice');
    expect(next).toEqual(['/ir pivot arn:aws:iam::999999999999:user/mallory']);
  });

  it('is one story per principal, however many matches there are', async () => {
    const flood = Array.from({ length: 5_000 }, (_, n) =>
      record({ eventName: 'DeleteLogGroup', eventSource: 'logs.amazonaws.com', userIdentity: session('ops', `s${n}`) }),
    );

    const { answer, parts, pictures } = await run(flood);

    expect(answer.matches).toHaveLength(5_000);
    expect(JSON.stringify(parts).length).toBeLessThan(2_000);
    expect(pictures).toHaveLength(1);
    expect(JSON.stringify(pictures).length).toBeLessThan(10_000);
  });

  it.each([
    ['all', ['cloudtrail-logging-stopped']],
    ['cloudtrail-logging-stopped', ['cloudtrail-logging-stopped']],
    ['T1562', ['cloudtrail-logging-stopped']],
    ['t1685.002', ['cloudtrail-logging-stopped']],
    ['Defense Evasion', ['cloudtrail-logging-stopped']],
    ['defense-evasion', ['cloudtrail-logging-stopped']],
    ['critical', ['cloudtrail-logging-stopped']],
    ['persistence', []],
    ['T1485', []],
  ])('takes %s for rules', async (pick, rules) => {
    const { answer } = await run([stopLogging], pick);

    expect(answer.matches.map((match) => match.rule)).toEqual(rules);
  });

  it('says what is near where there is no such rule', async () => {
    await expect(run([], 'logging')).rejects.toMatchObject({
      constructor: UserError,
      hint: expect.stringContaining('cloudtrail-logging-stopped'),
    });
  });

  it('runs rules of the operator beside its own, and reports those that it cannot run', async () => {
    const good = 'title: Mine\nlevel: high\ndetection: {sel: {eventName: StopLogging}, condition: sel}';
    const bad = 'title: Old\ndetection: {sel: {eventName: a}, condition: sel | count() > 5}';

    const { answer, parts, headline } = await run([stopLogging], 'all', [
      { path: 'x/mine.yml', text: good },
      { path: 'x/old.yml', text: bad },
    ]);

    expect(answer.matches.map((match) => match.rule)).toEqual(['cloudtrail-logging-stopped', 'mine.yml']);
    expect(answer.unsupportedRules).toEqual([{ rule: 'old.yml', reason: expect.stringContaining('legacy') }]);
    expect(plainText({ text: headline, parts })).toContain('old.yml');
  });

  it('does not take a source that cannot be read whole for an empty one', async () => {
    const { coverage: told, headline } = await hunt.run(hunt.target.parse({}), {
      evidence: { recordsOf: () => Promise.resolve([]), coverage: () => coverage, progress: evidenceOf([]).progress },
      aws: undefined,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date(),
    });

    expect(told).toMatchObject({ complete: false, notLookedAt: [expect.stringContaining('single questions')] });
    expect(headline).toContain('not everything could be looked at');
  });

  it('counts what it does not list, where a rule matches as often as there are events', async () => {
    const flood = Array.from({ length: 60_000 }, () => listing[0] as CloudTrailRecord);

    const { answer, parts, headline } = await run(flood, 'infrastructure-listed');

    expect(answer.matches).toHaveLength(50_000);
    expect(answer).toMatchObject({ notListed: [{ rule: 'infrastructure-listed', matches: 10_000 }] });
    expect(plainText({ text: headline, parts })).toContain('10,000 further matches of infrastructure-listed');
  });

  it('stops when it is told to', async () => {
    const ended = new AbortController();
    const many = evidenceOf([], {
      async *all() {
        for (let n = 0; n < 100_000; n += 1) {
          if (n === 10) ended.abort(new UserError('Interrupted.'));
          yield stopLogging;
        }
      },
    });

    const running = hunt.run(hunt.target.parse({}), {
      evidence: many,
      aws: undefined,
      signal: ended.signal,
      progress: () => undefined,
      now: () => new Date(),
    });

    await expect(running).rejects.toThrow('Interrupted.');
  });
});

describe('the burst of terminations', () => {
  it.each([
    [20, 20, 0, 1],
    [20, 1, 15, 1],
    [20, 7, 100, 1],
    [19, 19, 0, 0],
    [20, 1, 16, 0],
    [20, 10, 301, 0],
  ])('over %i instances, %i per call, a call each %i s: %i findings', async (count, perCall, every, findings) => {
    const { answer } = await run(terminations(count, perCall, every), burst);

    expect(answer.matches.filter((match) => match.rule === burst)).toHaveLength(findings);
  });

  it('counts each instance once, and all sessions of a role as one', async () => {
    const once = terminations(12, 12, 0);
    const again = terminations(12, 12, 0);

    expect((await run([...once, ...again], burst)).answer.matches).toEqual([]);
    const found = await run(terminations(40, 1, 5), burst);
    expect(found.answer.matches).toMatchObject([{ rule: burst, count: 40, level: 'critical' }]);
    expect(found.answer.matches[0]?.eventIds).toHaveLength(40);
  });

  it('leaves out what AWS terminates by itself', async () => {
    const scaling = terminations(30, 30, 0).map((one) => ({
      ...one,
      userIdentity: { ...one.userIdentity, invokedBy: 'autoscaling.amazonaws.com' },
    }));

    expect((await run(scaling, burst)).answer.matches).toEqual([]);
  });
});
