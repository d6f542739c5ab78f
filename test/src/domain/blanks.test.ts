/** Blanks of a plan's calls: filled from what AWS answered, and named for people. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/approval.ts';
import type { ApiCall, Blank } from '../../../src/contracts/aws.ts';
import { doneCalls, fill, named, sentCalls } from '../../../src/domain/blanks.ts';

const now = new Date('2026-11-21T04:00:00.000Z');

function callWith(value: unknown): ApiCall {
  return { service: 'ec2', operation: 'LockSnapshot', region: 'us-east-1', input: { SnapshotId: value } };
}

function answered(...entries: readonly object[]): readonly Step[] {
  const call = { service: 'ec2', operation: 'CreateSnapshots', region: 'us-east-1', input: {} } as const;
  return [{ index: 0, state: 'done', call, at: now.toISOString(), answer: { Snapshots: entries } }];
}

function filled(value: unknown, steps: readonly Step[]): unknown {
  return fill(callWith(value), { approvalId: 'a1', caseId: 'c1', now, steps }).input.SnapshotId;
}

const ofVolume: Blank = {
  $fill: 'answer',
  call: 0,
  field: 'Snapshots',
  entry: { where: 'VolumeId', is: 'vol-b', take: 'SnapshotId' },
};
const [a, b] = [
  { VolumeId: 'vol-a', SnapshotId: 'snap-a' },
  { VolumeId: 'vol-b', SnapshotId: 'snap-b' },
];

describe('a blank for one entry of a list that AWS answered', () => {
  it('takes the entry by what it is about, in whatever order AWS answers', () => {
    expect(filled(ofVolume, answered(a, b))).toBe('snap-b');
    expect(filled(ofVolume, answered(b, a))).toBe('snap-b');
  });

  it.each([
    ['no entry fits', answered(a)],
    ['two entries fit', answered(b, { ...b, SnapshotId: 'snap-c' })],
    ['the entry lacks the field', answered({ VolumeId: 'vol-b' })],
    ['nothing was answered', []],
  ])('is not filled where %s', (_why, steps) => {
    expect(() => filled(ofVolume, steps)).toThrow('call 1 has answered no SnapshotId of vol-b');
  });

  it('is not filled where the answer is no list', () => {
    const [step] = answered();
    if (step === undefined) throw new Error('no step');

    expect(() => filled(ofVolume, [{ ...step, answer: { Snapshots: 'snap-b' } }])).toThrow(RangeError);
  });

  it('is named for people', () => {
    expect(named({ SnapshotId: ofVolume })).toEqual({ SnapshotId: '<the SnapshotId of vol-b that call 1 answers>' });
  });
});

describe('the other blanks', () => {
  it('are a field of an answer, the ids, and the time without fractions', () => {
    const field = { $fill: 'answer', call: 0, field: 'Snapshots' };

    expect(filled(field, answered(a))).toEqual([a]);
    expect(filled([{ $fill: 'approvalId' }, { $fill: 'caseId' }], [])).toEqual(['a1', 'c1']);
    expect(filled({ $fill: 'time', plusSeconds: 30 }, [])).toBe('2026-11-21T04:00:30Z');
  });

  it('are not found in text', () => {
    expect(filled('{"$fill":"approvalId"}', [])).toBe('{"$fill":"approvalId"}');
  });
});

const tags: ApiCall = {
  service: 'ec2',
  operation: 'CreateTags',
  region: 'eu-west-1',
  input: {
    Groups: [{ $fill: 'answer', call: 0, field: 'GroupId' }],
    Tags: { plan: { $fill: 'approvalId' }, case: { $fill: 'caseId' }, until: { $fill: 'time', plusSeconds: 30 } },
    Name: '$fill',
    Nothing: null,
    Count: 2,
  },
};
const at = '2026-11-20T22:00:00.000Z';
const step = (changes: Partial<Step>): Step => ({ index: 0, state: 'done', call: tags, at, ...changes });
const filling = { approvalId: 'a1', caseId: 'IR-1', now: new Date('2026-11-20T22:00:00.123Z') };

describe('blanks of a call', () => {
  it('are filled with ids, the time without fractions, and what an earlier call answered; all else stays', () => {
    const other = step({ index: 1, answer: { GroupId: 'sg-other' } });
    const steps = [other, step({ answer: { GroupId: 'sg-1' } })];

    expect(fill(tags, { ...filling, steps })).toEqual({
      ...tags,
      input: {
        Groups: ['sg-1'],
        Tags: { plan: 'a1', case: 'IR-1', until: '2026-11-20T22:00:30Z' },
        Name: '$fill',
        Nothing: null,
        Count: 2,
      },
    });
  });

  it.each([
    ['there is no such call', []],
    ['it is not done', [step({ state: 'intent', answer: { GroupId: 'sg-1' } })]],
    ['another one answered', [step({ index: 1, answer: { GroupId: 'sg-1' } })]],
    ['it answered something else', [step({ answer: { VpcId: 'v' } })]],
    ['it answered nothing', [step({})]],
  ])('are never filled with a guess: %s', (_why, steps) => {
    expect(() => fill(tags, { ...filling, steps })).toThrow(new RangeError('call 1 has answered no GroupId'));
  });

  it('are named for people', () => {
    expect(named(tags.input)).toEqual({
      Groups: ['<the GroupId that call 1 answers>'],
      Tags: { plan: '<id of the approval>', case: '<id of the case>', until: '<time of sending + 30 s>' },
      Name: '$fill',
      Nothing: null,
      Count: 2,
    });
  });
});

it('what was done are the answered calls alone, in order', () => {
  const first = step({ answer: { GroupId: 'sg-1' } });
  const steps = [first, step({ index: 1, state: 'refused' }), step({ index: 2, state: 'intent' }), step({ index: 3 })];

  expect(sentCalls(steps)).toEqual([
    { call: tags, answer: { GroupId: 'sg-1' } },
    { call: tags, answer: {} },
    { call: tags, answer: {} },
  ]);
  expect(doneCalls(steps)).toEqual([
    { call: tags, answer: { GroupId: 'sg-1' } },
    { call: tags, answer: {} },
  ]);
});
