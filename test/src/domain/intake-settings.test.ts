import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FindingWatch } from '../../../src/domain/finding-watch.ts';
import { QueueEntry } from '../../../src/domain/queue-entry.ts';
import { isCertificateOf, isTopicAllowed, SnsEntry, topicOf } from '../../../src/domain/sns-topics.ts';

const region = fc.constantFrom('us-east-1', 'eu-west-1', 'ap-southeast-2');
const name = fc.stringMatching(/^[\w-]{1,30}$/);
const account = fc.stringMatching(/^\d{12}$/);

describe('the list of topics', () => {
  it('allows exactly what is in it', () => {
    fc.assert(
      fc.property(region, account, name, region, account, name, (r1, a1, n1, r2, a2, n2) => {
        const [one, two] = [`arn:aws:sns:${r1}:${a1}:${n1}`, `arn:aws:sns:${r2}:${a2}:${n2}`];
        expect(isTopicAllowed([one], one)).toBe(true);
        expect(isTopicAllowed([one], two)).toBe(one === two);
      }),
    );
  });

  it.each([
    ['arn:aws:sns:*:111122223333:security-*', 'arn:aws:sns:eu-west-1:111122223333:security-alerts', true],
    ['arn:aws:sns:eu-west-1:*:alerts', 'arn:aws:sns:eu-west-1:999988887777:alerts', true],
    ['arn:aws:sns:*:111122223333:*-alerts-*', 'arn:aws:sns:eu-west-1:111122223333:a-alerts-b', true],
    ['arn:aws:sns:*:111122223333:*-alerts-*', 'arn:aws:sns:eu-west-1:111122223333:-alerts', false],
    ['arn:aws:sns:*:111122223333:ab*ba', 'arn:aws:sns:eu-west-1:111122223333:aba', false],
    ['arn:aws:sns:*:111122223333:alerts', 'arn:aws-cn:sns:cn-north-1:111122223333:alerts', false],
    ['arn:aws-cn:sns:*:111122223333:alerts', 'arn:aws-cn:sns:cn-north-1:111122223333:alerts', true],
    [
      'arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts',
      'arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts',
      true,
    ],
    ['arn:aws:sns:*:*:*', 'arn:aws:sns:cn-north-1:111122223333:alerts', false],
    ['arn:aws:sns:*:*:*', 'arn:aws:sns:eu-west-1:111122223333:alerts:0a1b', false],
    ['arn:aws:sns:*:*:*', 'arn:aws:sqs:eu-west-1:111122223333:alerts', false],
  ])('%s and %s: %s', (pattern, arn, allowed) => {
    expect(isTopicAllowed([pattern], arn)).toBe(allowed);
  });
});

describe("a certificate's address", () => {
  it('is the one of the topic Region and partition', () => {
    const topic = (arn: string) => {
      const found = topicOf(arn);
      if (found === undefined) throw new Error(arn);
      return found;
    };
    const file = 'SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';
    const china = topic('arn:aws-cn:sns:cn-north-1:111122223333:a');
    expect(
      isCertificateOf(topic('arn:aws:sns:eu-west-1:111122223333:a'), `https://sns.eu-west-1.amazonaws.com/${file}`),
    ).toBe(true);
    expect(
      isCertificateOf(
        topic('arn:aws-us-gov:sns:us-gov-west-1:111122223333:a'),
        `https://sns.us-gov-west-1.amazonaws.com/${file}`,
      ),
    ).toBe(true);
    expect(isCertificateOf(china, `https://sns.cn-north-1.amazonaws.com.cn/${file}`)).toBe(true);
    expect(isCertificateOf(china, `https://sns.cn-north-1.amazonaws.com/${file}`)).toBe(false);
  });

  it('never parses to another host, whatever is put into it', () => {
    const topic = topicOf('arn:aws:sns:eu-west-1:111122223333:a');
    if (topic === undefined) throw new Error('no topic');
    const parts = fc.constantFrom(
      'https://',
      'http://',
      'sns.eu-west-1.amazonaws.com',
      '@',
      '/',
      '\\',
      '?',
      '#',
      ':443',
      '%2f',
      '..',
      '\t',
      'evil.example',
      '/SimpleNotificationService-0a.pem',
      '.pem',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 7 }), (list) => {
        const url = list.join('');
        if (!isCertificateOf(topic, url)) return;
        const parsed = new URL(url);
        expect([parsed.protocol, parsed.host, parsed.username, parsed.search, parsed.hash]).toEqual([
          'https:',
          'sns.eu-west-1.amazonaws.com',
          '',
          '',
          '',
        ]);
        expect(parsed.href).toBe(url);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the sections of the config', () => {
  it('read a queue from its URL alone, or with Region and role', () => {
    expect(QueueEntry.parse('https://sqs.eu-west-1.amazonaws.com/444455556666/findings')).toMatchObject({
      region: 'eu-west-1',
      name: 'findings',
    });
    expect(QueueEntry.parse({ url: 'https://sqs.cn-north-1.amazonaws.com.cn/444455556666/a.fifo' })).toMatchObject({
      region: 'cn-north-1',
      name: 'a.fifo',
    });
    expect(QueueEntry.parse({ url: 'http://localhost:4566/000000000000/q', region: 'us-east-1' }).name).toBe('q');
  });

  it.each([
    ['no URL', 'findings'],
    ['no queue', 'https://sqs.eu-west-1.amazonaws.com/'],
    ['no Region', 'http://localhost:4566/000000000000/q'],
    ['a password', 'https://a:b@sqs.eu-west-1.amazonaws.com/1/q'],
    ['another protocol', 'file:///etc/passwd'],
    ['a role that is none', { url: 'https://sqs.eu-west-1.amazonaws.com/1/q', role: 'admin' }],
    ['an unknown key', { url: 'https://sqs.eu-west-1.amazonaws.com/1/q', regoin: 'eu-west-1' }],
  ])('refuse a queue with %s', (_what, entry) => {
    expect(QueueEntry.safeParse(entry).success).toBe(false);
  });

  it('refuse topics that are none, and fill in what is left out', () => {
    expect(SnsEntry.safeParse({ topics: ['security-alerts'] }).success).toBe(false);
    expect(SnsEntry.safeParse({ topics: ['arn:*:sns:*:*:*'] }).success).toBe(false);
    expect(SnsEntry.parse({})).toEqual({ topics: [], allowVersion1: false, certificates: [] });
    expect(FindingWatch.parse({})).toEqual({ pollMinutes: 15, firstLookHours: 24, verify: true });
  });
});
