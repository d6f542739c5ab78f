import { describe, expect, it } from 'vitest';
import { placesInRecords } from '../../../src/domain/instance-places.ts';
import { parseRecord } from '../../../src/domain/record.ts';

const instance = 'i-0abcdef1234567890';

function call(awsRegion: string, more: Record<string, unknown> = {}) {
  const parsed = parseRecord({
    ...{ eventVersion: '1.11', eventID: `e-${awsRegion}`, eventTime: '2026-11-20T10:00:00Z' },
    ...{ eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', sourceIPAddress: '203.0.113.9' },
    ...{ awsRegion, recipientAccountId: '111122223333' },
    userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/ada', accountId: '111122223333' },
    requestParameters: { instancesSet: { items: [{ instanceId: instance }] } },
    ...more,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

describe('the places of an instance', () => {
  const refused = call('eu-north-1', { errorCode: 'Client.InvalidInstanceID.NotFound' });
  const ofItsRole = call('us-east-1', { eventSource: 'iam.amazonaws.com', eventName: 'ListUsers' });

  it('are those where EC2 answered about it, not all in which somebody looked for it or it called', () => {
    const { places } = placesInRecords(instance, [refused, call('eu-west-1'), ofItsRole]);

    expect(places).toEqual([{ accountId: '111122223333', region: 'eu-west-1' }]);
  });

  it('are all in which it is named, where EC2 never answered about it', () => {
    const { places } = placesInRecords(instance, [refused, ofItsRole]);

    expect(places.map(({ region }) => region)).toEqual(['eu-north-1', 'us-east-1']);
  });
});
