import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { claimedJewels, isActorsTag, isJewelTag } from '../../../src/domain/jewel-tags.ts';
import { CrownJewels, isCrownJewel } from '../../../src/domain/noise.ts';
import { alertFrom, finding } from '../webhooks/findings.ts';

const id = 'i-0123456789abcdef0';
const patterns = ['crown-jewel=*', 'data=p*i'];
const began = '2026-11-20T20:58:11.000Z';

function tagged(tags: readonly { key: string; value: string }[], changes: Record<string, unknown> = {}): Alert {
  const resource = { resourceType: 'Instance', instanceDetails: { instanceId: id, tags } };
  return alertFrom(finding({ resource, ...changes }));
}

function wrote(eventTime: string, by: string, eventName = 'CreateTags'): CloudTrailRecord {
  const tagSet = { items: [{ key: 'Crown-Jewel', value: 'yes' }] };
  const record = {
    eventVersion: '1.08',
    eventID: `${eventTime}-${by}`,
    eventTime,
    eventSource: 'ec2.amazonaws.com',
    eventName,
    awsRegion: 'eu-west-1',
    sourceIPAddress: '198.51.100.7',
    recipientAccountId: '111122223333',
    userIdentity: {
      type: 'IAMUser',
      arn: `arn:aws:iam::111122223333:user/${by}`,
      accountId: '111122223333',
      accessKeyId: `AKIA${by.toUpperCase()}`,
      userName: by,
    },
    requestParameters: { resourcesSet: { items: [{ resourceId: id }] }, tagSet },
    responseElements: { _return: true },
  };
  return record as unknown as CloudTrailRecord;
}

describe('a crown jewel by tag', () => {
  it('is told by key and value, with * for any characters and without regard to case', () => {
    expect(isJewelTag({ key: 'Crown-Jewel', value: 'checkout' }, patterns)).toBe(true);
    expect(isJewelTag({ key: 'data', value: 'PII' }, patterns)).toBe(true);
    expect(isJewelTag({ key: 'data', value: 'public' }, patterns)).toBe(false);
    expect(isJewelTag({ key: 'my-crown-jewel', value: 'x' }, patterns)).toBe(false);
    expect(CrownJewels.safeParse({ tags: ['crown-jewel'] }).success).toBe(false);
  });

  it("is an account by the inventory's tags, at once", () => {
    const jewels = CrownJewels.parse({ tags: patterns });
    const account = { id: '111122223333', tags: { 'crown-jewel': 'checkout' } };
    expect(isCrownJewel(alertFrom(finding()), account, jewels)).toBe(true);
    expect(isCrownJewel(alertFrom(finding()), { id: '111122223333', tags: { team: 'x' } }, jewels)).toBe(false);
    expect(isCrownJewel(alertFrom(finding({ title: '[SAMPLE] x' })), account, jewels)).toBe(false);
  });

  it('is a resource of any kind by the tags that its finding tells, never a sample', () => {
    const tags = [
      { key: 'crown-jewel', value: 'yes' },
      { key: 'Name', value: 'web' },
    ];
    expect(claimedJewels(tagged(tags), patterns)).toEqual([{ resource: id, key: 'crown-jewel', value: 'yes' }]);
    expect(claimedJewels(tagged(tags, { title: '[SAMPLE] x' }), patterns)).toEqual([]);
    const bucket = { resourceType: 'S3Bucket', s3BucketDetails: [{ name: 'payroll', tags }] };
    expect(claimedJewels(alertFrom(finding({ resource: bucket })), patterns)).toMatchObject([{ resource: 'payroll' }]);
    const sequence = { uid: 's', resources: [{ uid: 'r1', name: 'n', tags }], signals: [] };
    const service = { detection: { sequence } };
    expect(
      claimedJewels(alertFrom(finding({ resource: { resourceType: 'AttackSequence' } }, service)), patterns),
    ).toMatchObject([{ resource: 'r1' }]);
  });

  it('counts where it was there a day before and somebody else set it, or no record tells who', () => {
    const tag = { resource: id, key: 'crown-jewel', value: 'yes' };
    const alert = { ...tagged([]), firstSeen: began, actor: { userName: 'mallory' } };
    expect(isActorsTag(tag, alert, [])).toBe(false);
    expect(isActorsTag(tag, alert, [wrote('2026-11-01T00:00:00Z', 'terraform')])).toBe(false);
    // Set on something else.
    const other = { ...tag, resource: 'i-0fedcba9876543210' };
    expect(isActorsTag(other, alert, [wrote('2026-11-20T20:00:00Z', 'mallory')])).toBe(false);
  });

  it('does not count where the actor set it, by name or key, or anybody within a day before it began', () => {
    const tag = { resource: id, key: 'crown-jewel', value: 'yes' };
    const alert = { ...tagged([]), firstSeen: began, actor: { userName: 'mallory' } };
    expect(isActorsTag(tag, alert, [wrote('2026-11-01T00:00:00Z', 'Mallory')])).toBe(true);
    const byKey = { ...alert, actor: { accessKeyId: 'AKIAMALLORY' } };
    expect(isActorsTag(tag, byKey, [wrote('2026-11-01T00:00:00Z', 'mallory')])).toBe(true);
    const unknown = { ...alert, actor: {} };
    expect(isActorsTag(tag, unknown, [wrote('2026-11-20T09:00:00Z', 'terraform')])).toBe(true);
    expect(isActorsTag(tag, unknown, [wrote('2026-11-21T09:00:00Z', 'terraform')])).toBe(true);
    // Whatever is tagged on what was made in the course of it.
    const launch = {
      ...wrote('2026-11-20T20:00:00Z', 'mallory', 'RunInstances'),
      requestParameters: {},
      responseElements: { instancesSet: { items: [{ instanceId: id }] } },
    };
    expect(isActorsTag(tag, unknown, [launch as unknown as CloudTrailRecord])).toBe(true);
    expect(
      isActorsTag(tag, unknown, [{ ...launch, eventTime: '2026-10-01T00:00:00Z' } as unknown as CloudTrailRecord]),
    ).toBe(false);
    // The last writer decides.
    const both = [wrote('2026-11-01T00:00:00Z', 'terraform'), wrote('2026-11-02T00:00:00Z', 'mallory')];
    expect(isActorsTag(tag, alert, both)).toBe(true);
  });
});
