import { describe, expect, it } from 'vitest';
import { recordedBy } from '../../../src/domain/trail-selectors.ts';

const management = (...more: object[]) => ({
  FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }, ...more],
});
const data = (...more: object[]) => ({
  FieldSelectors: [
    { Field: 'eventCategory', Equals: ['Data'] },
    { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
    ...more,
  ],
});
const judged = (...AdvancedEventSelectors: object[]) => recordedBy({ AdvancedEventSelectors });

describe('the selectors of a trail', () => {
  it('are those of AWS where there are none', () => {
    expect(recordedBy({})).toEqual({ management: 'all', reads: [] });
  });

  it('tell a trail of data events alone from one of management events', () => {
    expect(judged(data())).toEqual({ management: 'none', reads: ['AWS::S3::Object'] });
    expect(recordedBy({ EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: false }] }).management).toBe(
      'none',
    );
    expect(judged(management()).management).toBe('all');
  });

  it('are a part where reads, services or calls are left out, but for the mass that AWS offers to leave out', () => {
    expect(judged(management({ Field: 'readOnly', Equals: ['false'] })).management).toBe('part');
    expect(judged(management({ Field: 'eventSource', NotEquals: ['iam.amazonaws.com'] })).management).toBe('part');
    expect(judged(management({ Field: 'eventName', NotStartsWith: ['Create'] })).management).toBe('part');
    expect(judged(management({ Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] })).management).toBe('all');
    const [reads, writes] = ['true', 'false'].map((word) => management({ Field: 'readOnly', Equals: [word] }));
    expect(judged(reads as object, writes as object).management).toBe('all');
    const without = (source: string) => ({ ReadWriteType: 'All', ExcludeManagementEventSources: [source] });
    expect(recordedBy({ EventSelectors: [without('kms.amazonaws.com')] }).management).toBe('all');
    expect(recordedBy({ EventSelectors: [without('iam.amazonaws.com')] }).management).toBe('part');
  });

  it('do not record reads of objects where they ask for writes', () => {
    expect(judged(data({ Field: 'readOnly', Equals: ['false'] })).reads).toEqual([]);
    const plain = { ReadWriteType: 'WriteOnly', DataResources: [{ Type: 'AWS::S3::Object' }] };
    expect(recordedBy({ EventSelectors: [plain] }).reads).toEqual([]);
  });
});
