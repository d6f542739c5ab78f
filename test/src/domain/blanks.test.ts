import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/approval.ts';
import type { ApiCall } from '../../../src/contracts/aws.ts';
import { doneCalls, fill, named } from '../../../src/domain/blanks.ts';

const call: ApiCall = {
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
const step = (changes: Partial<Step>): Step => ({ index: 0, state: 'done', call, at, ...changes });
const filling = { approvalId: 'a1', caseId: 'IR-1', now: new Date('2026-11-20T22:00:00.123Z') };

describe('blanks of a call', () => {
  it('are filled with ids, the time without fractions, and what an earlier call answered; all else stays', () => {
    const other = step({ index: 1, answer: { GroupId: 'sg-other' } });
    const steps = [other, step({ answer: { GroupId: 'sg-1' } })];

    expect(fill(call, { ...filling, steps })).toEqual({
      ...call,
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
    expect(() => fill(call, { ...filling, steps })).toThrow(new RangeError('call 1 has answered no GroupId'));
  });

  it('are named for people', () => {
    expect(named(call.input)).toEqual({
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

  expect(doneCalls(steps)).toEqual([
    { call, answer: { GroupId: 'sg-1' } },
    { call, answer: {} },
  ]);
});
