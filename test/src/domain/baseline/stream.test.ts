import { describe, expect, it } from 'vitest';
import type { PastFinding } from '../../../../src/contracts/baseline.ts';
import type { RuleSettings } from '../../../../src/contracts/rules.ts';
import { findingEntry } from '../../../../src/domain/baseline/stream.ts';
import { detectorOf } from '../../../../src/domain/detection/detector.ts';
import { nothingSettled } from '../../../../src/domain/sigma/settled.ts';
import type { Level } from '../../../../src/domain/sigma/tree.ts';

const now = new Date('2026-11-21T12:00:00Z');

const finding: PastFinding = {
  rule: 'baseline-several-firsts',
  group: 'arn:aws:iam::111122223333:role/deploy',
  sighting: {
    at: Date.UTC(2026, 10, 21, 11),
    eventId: 'e-1',
    eventName: 'ListBuckets',
    eventSource: 's3.amazonaws.com',
    region: 'eu-west-1',
    ip: '198.51.100.9',
    account: '111122223333',
    principal: 'arn:aws:sts::111122223333:assumed-role/deploy/someone',
    key: 'ASIAIOSFODNN7EXAMPLE',
    isWrite: false,
    isConsole: false,
    isDenied: false,
  },
  rests: { since: Date.UTC(2026, 9, 1), days: 40, events: 4_000, atLeast: false },
};

function detector(settings: Partial<RuleSettings> = {}, openFrom: Level | 'never' = 'medium') {
  return detectorOf(
    { rules: [], unsupported: [] },
    {
      settings: { ...nothingSettled, ...settings },
      now,
      openFrom,
      maxAgeHours: 24,
      counts: () => true,
      ownRoles: [],
      newId: () => 'id',
    },
  );
}

function heard(one = detector()) {
  const { eventKey, record } = findingEntry(finding);
  return one.heed(record, eventKey).deeds;
}

describe('a finding about the past in the stream', () => {
  it('is a match of the principal, with what it rests on', () => {
    expect(heard()).toEqual([
      expect.objectContaining({
        rule: 'baseline-several-firsts',
        principal: finding.group,
        accountId: '111122223333',
        ip: '198.51.100.9',
        note: '40 days with 4,000 calls of it since 2026-10-01 00:00 UTC',
        actor: expect.objectContaining({ userName: 'deploy', accessKeyId: 'ASIAIOSFODNN7EXAMPLE' }),
      }),
    ]);
  });

  it('has one key for each rule, principal and day', () => {
    const later = {
      ...finding,
      sighting: { ...finding.sighting, at: finding.sighting.at + 3_600_000, eventId: 'e-2' },
    };
    expect(findingEntry(later).eventKey).toBe(findingEntry(finding).eventKey);
    const tomorrow = { ...finding, sighting: { ...finding.sighting, at: finding.sighting.at + 86_400_000 } };
    expect(findingEntry(tomorrow).eventKey).not.toBe(findingEntry(finding).eventKey);
    expect(findingEntry({ ...finding, rule: 'baseline-dormant-key' }).eventKey).not.toBe(
      findingEntry(finding).eventKey,
    );
  });

  it('is not heard where its rule is switched off, too mild, or excepted', () => {
    const disabled = [{ rule: 'baseline-*', reason: 'noisy', by: 'me' }];
    const except = (more: object) => ({
      exceptions: [{ reason: 'known', by: 'me', until: '2027-01-01T00:00:00Z', ...more }],
    });
    expect(heard(detector({ disabled }))).toEqual([]);
    expect(heard(detector({}, 'high'))).toEqual([]);
    expect(heard(detector({}, 'never'))).toEqual([]);
    expect(heard(detector(except({ principal: ['deploy'] })))).toEqual([]);
    expect(heard(detector(except({ rule: ['baseline-several-*'], ip: ['198.51.100.0/24'] })))).toEqual([]);
    expect(heard(detector(except({ rule: ['baseline-several-*'], ip: ['203.0.113.0/24'] })))).toHaveLength(1);
  });

  it('cannot be made by a record that comes from outside', () => {
    expect(detector().heed(findingEntry(finding).record, 'a'.repeat(64)).deeds).toEqual([]);
  });

  it('has records of people compared, not those of services, and none where all such rules are off', () => {
    const { record } = findingEntry(finding);
    expect(detector().look(record)).toMatchObject({ compared: true, heeded: false, loud: false });
    const service = { ...record, userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } };
    expect(detector().look(service).compared).toBe(false);
    expect(detector({}, 'never').look(record).compared).toBe(false);
  });
});
