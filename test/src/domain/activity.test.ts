import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { linksOf, mayJoin, tacticOf } from '../../../src/domain/activity.ts';

function alertOf(change: Partial<Alert> = {}): Alert {
  return {
    source: 'guardduty',
    dedupeKey: 'k',
    updatedAt: '2026-11-20T22:00:00.000Z',
    count: 1,
    findingId: 'f',
    type: 'Recon:IAMUser/MaliciousIPCaller',
    severity: 5,
    title: 't',
    description: '',
    partition: 'aws',
    accountId: '111122223333',
    region: 'us-east-1',
    resource: { type: 'AccessKey' },
    resourceIds: [],
    actor: { userName: 'pipeline', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    remote: [],
    sample: false,
    archived: false,
    notes: [],
    ...change,
  };
}
const shared = (one: Alert, other: Alert) => linksOf(one).keys.some((key) => linksOf(other).keys.includes(key));
const arn = 'arn:aws:guardduty:us-east-1:111122223333:detector/d/finding/f1';

describe('the links of an alert', () => {
  it('tie one actor and resource together in every Region, however a product names them', () => {
    const byName = alertOf({ resource: { type: 'S3Bucket', name: 'payroll' } });
    const byArn = alertOf({
      region: 'eu-west-1',
      actor: { principalArn: 'arn:aws:iam::111122223333:user/ci/pipeline' },
      resource: { type: 'AwsS3Bucket', id: 'arn:aws:s3:::payroll' },
    });

    expect(shared(byName, byArn)).toBe(true);
    expect(mayJoin(byArn, [byName])).toBe(true);
  });

  it('take the sessions of a role for one actor', () => {
    const session = (name: string) =>
      alertOf({ actor: { principalArn: `arn:aws:sts::111122223333:assumed-role/Deploy/${name}` } });

    expect(shared(session('a'), session('b'))).toBe(true);
  });

  it('keep accounts, partitions, actors and resources apart', () => {
    const base = alertOf({ resource: { type: 'S3Bucket', id: 'payroll' } });
    for (const change of [
      { accountId: '444455556666' },
      { partition: 'aws-cn' },
      { actor: { userName: 'other' } },
      { resource: { type: 'S3Bucket', id: 'other' } },
    ]) {
      expect(shared(base, alertOf({ resource: base.resource, ...change }))).toBe(false);
    }
  });

  it('never tie a sample, nor what names no actor or no resource', () => {
    for (const change of [
      { sample: true },
      { actor: {} },
      { resource: { type: 'S3Bucket' } },
      { accountId: '' },
    ] satisfies Partial<Alert>[]) {
      expect(linksOf(alertOf(change)).keys).toEqual([]);
    }
  });

  it('tie an attack sequence to its findings and to nothing else', () => {
    const child = alertOf({ findingArn: arn });
    const sequence = alertOf({
      type: 'AttackSequence:IAM/CompromisedCredentials',
      findingArn: `${arn}-sequence`,
      signals: [{ type: 'FINDING', id: arn, name: 'f', indicators: [] }],
    });

    expect(linksOf(sequence).absorbs).toHaveLength(1);
    expect(shared(child, sequence)).toBe(true);
    expect(mayJoin(child, [sequence])).toBe(true);
    expect(mayJoin(sequence, [child])).toBe(false);
    expect(shared(alertOf(), sequence)).toBe(false);
  });

  it('leave two findings of one type, Region and product apart', () => {
    expect(mayJoin(alertOf({ findingId: 'other' }), [alertOf()])).toBe(false);
    expect(mayJoin(alertOf({ type: 'Persistence:IAMUser/AnomalousBehavior' }), [alertOf()])).toBe(true);
  });

  it('can be told for any words at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (type, user, id) => {
        const alert = alertOf({ type, actor: { userName: user }, resource: { type: 'S3Bucket', id } });

        expect(linksOf(alert)).toEqual(linksOf({ ...alert, region: 'eu-west-1', findingId: 'x' }));
        expect(tacticOf(alert)).not.toBe('');
      }),
    );
  });
});
