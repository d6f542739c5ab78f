import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { isContained, isNews, nextLook, watched, watchUntil, watchWords } from '../../../src/domain/watch.ts';

const sentAt = '2026-11-20T22:10:00.000Z';
const until = watchUntil(sentAt, 36 * 3_600_000);
const user = { kind: 'user', id: 'arn:aws:iam::111122223333:user/alice' } as const;

function call(eventTime: string, more: Partial<CloudTrailRecord> = {}): CloudTrailRecord {
  return {
    eventID: eventTime,
    eventTime,
    eventName: 'ListUsers',
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-east-1',
    sourceIPAddress: '203.0.113.9',
    userAgent: 'aws-cli/2',
    userIdentity: { type: 'IAMUser', arn: user.id, accountId: '111122223333', userName: 'alice' },
    ...more,
  };
}

function seen(records: readonly CloudTrailRecord[], now: string, more: { holds?: boolean; missing?: string } = {}) {
  return {
    ...watched(records, user, { sentAt, until }, new Date(now)),
    holds: 'holds' in more ? more.holds : true,
    missing: more.missing,
  };
}

describe('what is said after a containment', () => {
  it('is not "contained" while nothing was refused and the time is not over', () => {
    const quiet = seen([], '2026-11-20T23:00:00Z');

    expect(isContained(quiet)).toBe(false);
    expect(watchWords(quiet)).toContain('No management event of it succeeded through 2026-11-20 22:45');
    expect(watchWords(quiet)).toContain('data events are not recorded');
    expect(watchWords(quiet)).toContain('Watched until 2026-11-22 10:10');
  });

  it('is "contained" once AWS was seen to refuse, and nothing succeeded', () => {
    const refused = seen([call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied' })], '2026-11-20T23:00:00Z');

    expect(refused).toMatchObject({ refused: 1, succeeded: 0 });
    expect(watchWords(refused)).toContain('Contained: AWS was seen to refuse it.');
  });

  it('takes no refusal for a proof that the containment does not explain', () => {
    const never =
      'User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:ListUsers because no identity-based policy allows the iam:ListUsers action';
    const deny = never.replace(/because.*/, 'with an explicit deny in an identity-based policy');
    const isProved = (eventTime: string, errorMessage: string) =>
      isContained(seen([call(eventTime, { errorCode: 'AccessDenied', errorMessage })], '2026-11-20T23:00:00Z'));

    expect([isProved('2026-11-20T22:20:00Z', never), isProved('2026-11-20T22:10:05Z', never)]).toEqual([false, false]);
    expect([isProved('2026-11-20T22:20:00Z', deny), isProved('2026-11-20T22:10:05Z', deny)]).toEqual([true, true]);
    // Every call of that kind was refused before as well.
    for (const other of [
      'a service control policy',
      'a permissions boundary',
      'a session policy',
      'a resource-based policy',
    ])
      expect(isProved('2026-11-20T22:20:00Z', deny.replace('an identity-based policy', other))).toBe(false);
    expect(isProved('2026-11-20T22:20:00Z', `${deny}: arn:aws:iam::111122223333:policy/OnlyWithMfa`)).toBe(false);
    // Names of his choice stand in the message.
    expect(isProved('2026-11-20T22:10:05Z', `${never} on resource: with an explicit deny in x`)).toBe(false);
    // Without words: not while IAM settles, since it may have been refused before as well.
    expect([isProved('2026-11-20T22:20:00Z', ''), isProved('2026-11-20T22:10:05Z', '')]).toEqual([true, false]);
  });

  it('takes no token that ran out by itself, and no image of somebody else, for a proof', () => {
    const isProved = (errorCode: string, errorMessage: string) =>
      isContained(seen([call('2026-11-20T22:20:00Z', { errorCode, errorMessage })], '2026-11-20T23:00:00Z'));

    expect([
      isProved('ExpiredToken', 'The security token included in the request is expired'),
      isProved('Client.AuthFailure', 'Not authorized for images: [ami-0abc12345def67890]'),
      isProved('Client.AuthFailure', 'AWS was not able to validate the provided access credentials'),
    ]).toEqual([false, false, true]);
  });

  it('takes no refusal for a proof of a change that refuses nothing, an isolated machine say', () => {
    const errorMessage = 'is not authorized to perform: x:Y with an explicit deny in an identity-based policy';
    const records = [call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied', errorMessage })];
    const [one, other] = [true, false].map((refuses) =>
      watched(records, user, { sentAt, until }, new Date('2026-11-20T23:00:00Z'), { refuses }),
    );

    expect([one, other]).toMatchObject([
      { refused: 1, proofs: 1 },
      { refused: 1, proofs: 0 },
    ]);
  });

  it('takes a key that is told it lacks a right for one that AWS still takes', () => {
    const key = { kind: 'accessKey', id: 'AKIAIOSFODNN7EXAMPLE' } as const;
    const look = (errorCode: string) => {
      const userIdentity = { type: 'IAMUser', accessKeyId: key.id };
      const records = [call('2026-11-20T22:20:00Z', { errorCode, userIdentity })];
      return {
        ...watched(records, key, { sentAt, until }, new Date('2026-11-20T23:00:00Z')),
        holds: true,
        missing: undefined,
      };
    };

    expect(
      ['AccessDenied', 'InvalidClientTokenId', 'UnrecognizedClientException'].map((code) => isContained(look(code))),
    ).toEqual([false, true, true]);
    expect(look('UnrecognizedClientException')).toMatchObject({ refused: 1, succeeded: 0 });
  });

  it('says that nothing is known yet while CloudTrail has not caught up with the change', () => {
    const words = watchWords(seen([], '2026-11-20T22:11:00Z'));

    expect(words).toContain('what it did after the change is not known yet');
    expect(words).not.toContain('No management event');
  });

  it('is "contained" once everything that was minted before has ended in silence', () => {
    expect(watchWords(seen([], '2026-11-22T10:26:00Z'))).toContain('Contained: whatever was minted before has ended.');
  });

  it('is "still active" after a call that succeeded, however many were refused', () => {
    const records = [
      call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied' }),
      call('2026-11-20T22:30:00Z', { eventName: 'CreateUser' }),
    ];
    const active = seen(records, '2026-11-20T23:00:00Z');

    expect(isContained(active)).toBe(false);
    expect(watchWords(active)).toContain('STILL ACTIVE: 1 call succeeded after it, the last at 2026-11-20 22:30');
  });

  it('counts neither what came before, nor the seconds that IAM needs, nor what others did to it', () => {
    const records = [
      call('2026-11-20T22:09:59Z'),
      call('2026-11-20T22:10:30Z'),
      call('2026-11-20T22:30:00Z', {
        userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/IrResponder/ir-1' },
        requestParameters: { userName: 'alice' },
      }),
    ];

    expect(seen(records, '2026-11-20T23:00:00Z')).toMatchObject({ refused: 0, succeeded: 0 });
  });

  it('is never "contained" where not all was looked at, or where it no longer holds', () => {
    const refusal = [call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied' })];

    for (const more of [{ missing: 'eu-west-1' }, { holds: false }, { holds: undefined as never }]) {
      const words = watchWords(seen(refusal, '2026-11-23T00:00:00Z', more));
      expect(words).not.toContain('Contained');
    }
    expect(watchWords(seen([], '2026-11-20T23:00:00Z', { missing: 'eu-west-1' }))).not.toContain('No management event');
  });
});

describe('the looks', () => {
  it('come after 1, 10 and 30 minutes, then hourly, and end when the last event can have arrived', () => {
    const at = (time: string) => nextLook(sentAt, until, new Date(time));

    expect(at('2026-11-20T22:10:00Z')).toBe(60_000);
    expect(at('2026-11-20T22:11:00Z')).toBe(9 * 60_000);
    expect(at('2026-11-20T22:20:00Z')).toBe(20 * 60_000);
    expect(at('2026-11-20T22:40:00Z')).toBe(60 * 60_000);
    expect(at('2026-11-22T10:00:00Z')).toBe(25 * 60_000);
    expect(at('2026-11-22T10:25:00Z')).toBeUndefined();
  });

  it('end, whatever the times', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 * 3_600_000 }), (livesMs) => {
        const end = watchUntil(sentAt, livesMs);
        let now = new Date(sentAt);
        let looks = 0;
        for (let pause = nextLook(sentAt, end, now); pause !== undefined; pause = nextLook(sentAt, end, now)) {
          expect(pause).toBeGreaterThan(0);
          now = new Date(now.getTime() + pause);
          looks += 1;
        }
        expect(now.getTime()).toBeGreaterThanOrEqual(Date.parse(end));
        expect(looks).toBeLessThan(50);
      }),
    );
  });

  it('tell people what is new, and nothing twice', () => {
    const quiet = seen([], '2026-11-20T22:11:00Z');
    const later = seen([], '2026-11-20T22:40:00Z');
    const latest = seen([], '2026-11-20T23:40:00Z');
    const active = seen([call('2026-11-20T22:30:00Z')], '2026-11-20T22:40:00Z');

    expect(isNews(quiet, undefined)).toBe(true);
    // CloudTrail has caught up with the change by then, which it had not before.
    expect(isNews(later, quiet)).toBe(true);
    expect(isNews(latest, later)).toBe(false);
    expect(isNews(active, later)).toBe(true);
    expect(isNews(seen([], '2026-11-20T22:40:00Z', { holds: false }), quiet)).toBe(true);
  });
});

describe('the words of a look, each by itself', () => {
  const now = '2026-11-20T23:00:00Z';
  const success = call('2026-11-20T22:30:00Z');

  it('say that somebody changed it back, or that it could not be read, and nothing of either where it holds', () => {
    const back = 'IT NO LONGER HOLDS: somebody changed it back. Pivot on the target.';
    const unread = 'It could not be read again: whether it still holds is not known.';
    const words = (holds: boolean | undefined) => watchWords({ ...seen([], now), holds });

    expect([true, false, undefined].map((holds) => words(holds).startsWith(back))).toEqual([false, true, false]);
    expect([true, false, undefined].map((holds) => words(holds).startsWith(unread))).toEqual([false, false, true]);
  });

  it('say that the target is not there any more, once, and call it neither unread nor contained', () => {
    const before = seen([], now);
    const gone = { ...before, holds: undefined, gone: 'account 111122223333 has no user alice' };

    expect(watchWords(gone)).toMatch(/^What it held is not there any more: account 111122223333 has no user alice\. /);
    expect(watchWords(gone)).not.toMatch(/could not be read|Contained/);
    expect([isNews(gone, before), isNews(gone, { ...gone, gone: 'created again' }), isNews(gone, gone)]).toEqual([
      ...[true, true, false],
    ]);
  });

  it('tell calls that may go on from those that must not', () => {
    const active = seen([success], now);

    expect(watchWords({ ...active, isPartial: true })).toContain(
      'Calls that it still may make: 1, the last at 2026-11-20 22:30',
    );
    expect(watchWords({ ...active, isPartial: true })).not.toContain('STILL ACTIVE');
    expect(watchWords({ ...active, isPartial: false })).toContain('STILL ACTIVE: 1 call');
    expect(watchWords({ ...seen([], now), isPartial: true })).not.toContain('Calls that it still may make');
  });

  it('count refused attempts, and say what was not looked at', () => {
    const refused = seen([call('2026-11-20T22:20:00Z', { errorCode: 'ExpiredToken' })], now, { missing: 'eu-west-1' });

    expect(watchWords(refused)).toBe(
      'Not all of CloudTrail was looked at: eu-west-1. Refused attempts: 1. Watched until 2026-11-22 10:10 UTC.',
    );
    expect(watchWords(seen([], now))).not.toContain('Not all of CloudTrail');
    expect(watchWords({ ...refused, over: true })).not.toContain('Watched until');
  });

  it('call nothing contained where other work is meant to go on, refused or silent, at no time', () => {
    const refused = { ...seen([call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied' })], now), isPartial: true };

    expect(isContained(refused)).toBe(false);
    expect(isContained({ ...refused, over: true })).toBe(false);
    expect(isContained({ ...refused, isPartial: false })).toBe(true);
  });
});

describe('what is counted, at the edges', () => {
  it('begins in the second of the change, and for successes after the last second of settling', () => {
    const now = '2026-11-20T23:00:00Z';
    const refusal = { errorCode: 'AccessDenied' };

    expect(seen([call('2026-11-20T22:10:00Z', refusal)], now).refused).toBe(1);
    expect(seen([call('2026-11-20T22:09:59Z', refusal)], now).refused).toBe(0);
    expect(seen([call('2026-11-20T22:11:00Z')], now).succeeded).toBe(0);
    expect(seen([call('2026-11-20T22:11:01Z')], now).succeeded).toBe(1);
    const two = seen([call('2026-11-20T22:40:00Z'), call('2026-11-20T22:20:00Z')], now);
    expect(two.lastSuccess).toBe('2026-11-20T22:40:00Z');
  });

  it('is over when what CloudTrail delivers late can have come, and not a moment before', () => {
    expect(seen([], '2026-11-22T10:24:59.999Z').over).toBe(false);
    expect(seen([], '2026-11-22T10:25:00.000Z').over).toBe(true);
  });

  it('lasts for half an hour at least', () => {
    expect(watchUntil(sentAt, 0)).toBe('2026-11-20T22:40:00.000Z');
  });
});

describe('news', () => {
  const now = '2026-11-20T23:00:00Z';
  const quiet = seen([], now);
  const refused = seen([call('2026-11-20T22:20:00Z', { errorCode: 'AccessDenied' })], now);

  it('is the first look, a change of what holds, another success, a containment, and the end', () => {
    expect(isNews(quiet, undefined)).toBe(true);
    expect(isNews({ ...quiet, holds: false }, quiet)).toBe(true);
    expect(isNews(seen([call('2026-11-20T22:30:00Z')], now), quiet)).toBe(true);
    expect(isNews(refused, quiet)).toBe(true);
    const lost = { ...quiet, missing: 'eu-west-1' };
    expect(isNews({ ...lost, over: true }, lost)).toBe(true);
  });

  it('is not the same again', () => {
    expect(isNews(quiet, quiet)).toBe(false);
    expect(isNews(refused, refused)).toBe(false);
    expect(isNews({ ...quiet, over: true }, { ...quiet, over: true })).toBe(false);
  });
});
