import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../../detections/index.ts';
import { detectorOf } from '../../../../src/domain/detection/detector.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { nothingSettled } from '../../../../src/domain/sigma/settled.ts';

function call(user: string, eventName: string) {
  const parsed = parseRecord({
    eventID: '11111111-2222-3333-4444-555555555555',
    eventTime: '2026-11-21T10:00:00Z',
    eventName,
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    recipientAccountId: '111122223333',
    readOnly: false,
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::111122223333:user/${user}`, accountId: '111122223333' },
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

describe('an exception without a rule', () => {
  const until = '2027-01-01T00:00:00Z';
  const detector = detectorOf(catalogue(), {
    settings: { ...nothingSettled, exceptions: [{ principal: ['deploy'], reason: 'deploys', until, by: 'config' }] },
    now: new Date('2026-11-21T10:00:00Z'),
    openFrom: 'medium',
    maxAgeHours: 24,
    counts: () => true,
    ownRoles: [],
    newId: () => 'id',
  });

  it('holds back the record also where no rule that opens a case speaks of it', () => {
    for (const eventName of ['CreateUser', 'TagRole', 'NeverHeardOf']) {
      expect(detector.look(call('deploy', eventName))).toMatchObject({ loud: false, excepted: true });
      expect(detector.look(call('other', eventName))).toMatchObject({ excepted: false });
    }
  });
});
