import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { answersOf } from '../../../../src/domain/dossier/habit-questions.ts';
import { type HabitsInput, habitsOf } from '../../../../src/domain/dossier/habits.ts';
import { parseRecord } from '../../../../src/domain/record.ts';

const arn = 'arn:aws:iam::999999999999:user/pipeline';
let serial = 0;

function call(eventTime: string, more: Readonly<Record<string, unknown>> = {}): CloudTrailRecord {
  serial += 1;
  const parsed = parseRecord({
    ...{
      eventID: `e-${serial}`,
      eventTime,
      eventName: 'DescribeInstances',
      eventSource: 'ec2.amazonaws.com',
      awsRegion: 'us-east-1',
    },
    ...{ sourceIPAddress: '198.51.100.7', userAgent: 'aws-cli/2.2.1 Python', readOnly: true },
    userIdentity: { type: 'IAMUser', arn, accountId: '999999999999', userName: 'pipeline' },
    ...more,
  });
  if (!parsed.ok) throw new Error('the record is none');
  return parsed.record;
}

/** Nine to eleven, UTC, on five days. */
const usual = [16, 17, 18, 19, 20].flatMap((day) =>
  [9, 9, 10, 10, 11].map((hour, index) => call(`2026-11-${day}T${String(hour).padStart(2, '0')}:0${index}:00Z`)),
);

function answers(calls: readonly CloudTrailRecord[], more: Partial<HabitsInput> = {}) {
  const input: HabitsInput = {
    ...{ calls, changes: [], thisTime: '2026-11-21T00:00:00Z', complete: true, expectedCountries: ['DE'] },
    countryOf: (ip) => (ip === '198.51.100.7' ? 'DE' : 'XX'),
    networkOf: () => undefined,
    ...more,
  };
  return Object.fromEntries(answersOf(input, habitsOf(input)).map((one) => [one.id, one]));
}

describe("S4's questions", () => {
  it('find nothing where it acts as before', () => {
    const found = answers([...usual, call('2026-11-21T10:00:00Z')]);

    expect(Object.values(found).map(({ id, state }) => [id, state])).toEqual(
      ['off-hours', 'first-time', 'cadence', 'place', 'agent', 'right-changes', 'failed-logins'].map((id) => [
        id,
        'nothing-found',
      ]),
    );
  });

  it('find the hour, the call, the place and the program that are new, each with its events', () => {
    const odd = call('2026-11-21T03:00:00Z', {
      eventName: 'RunInstances',
      readOnly: false,
      sourceIPAddress: '203.0.113.5',
      userAgent: 'Boto3/1',
    });

    const found = answers([...usual, odd]);

    for (const id of ['off-hours', 'first-time', 'place', 'agent'])
      expect(found[id]).toMatchObject({ state: 'hits', evidence: [odd.eventID] });
    expect(found['first-time']?.answer).toBe('First time in the window: ec2:RunInstances.');
    expect(found.place?.answer).toContain('From XX, where the inventory expects DE');
  });

  it('are not answered from too little, rather than calling everything new', () => {
    const found = answers([call('2026-11-21T03:00:00Z', { sourceIPAddress: '203.0.113.5' })], {
      expectedCountries: undefined,
    });

    for (const id of ['off-hours', 'first-time', 'cadence', 'place', 'agent'])
      expect(found[id]?.state).toBe('not-looked-at');
    expect(found['off-hours']?.answer).toContain('too little before 2026-11-21 00:00 UTC');
  });

  it('never say "nothing" of what was not looked at in full', () => {
    const states = Object.values(answers([...usual, call('2026-11-21T10:00:00Z')], { complete: false })).map(
      ({ state }) => state,
    );

    expect(states).not.toContain('nothing-found');
  });

  it('see a burst', () => {
    const burst = Array.from({ length: 30 }, (_, index) => call(`2026-11-21T10:${String(index).padStart(2, '0')}:00Z`));

    expect(answers([...usual, ...burst]).cadence).toMatchObject({
      state: 'hits',
      answer: expect.stringContaining('30 calls in the hour from 2026-11-21 10:00 UTC'),
    });
  });

  it('see failed sign-ins before a success without MFA, and not a failure after it', () => {
    const login = (eventTime: string, outcome: string) =>
      call(eventTime, {
        eventName: 'ConsoleLogin',
        eventSource: 'signin.amazonaws.com',
        responseElements: { ConsoleLogin: outcome },
        additionalEventData: { MFAUsed: 'No' },
        ...(outcome === 'Failure' ? { errorMessage: 'Failed authentication' } : {}),
      });
    const tries = [
      login('2026-11-21T09:00:00Z', 'Failure'),
      login('2026-11-21T09:01:00Z', 'Failure'),
      login('2026-11-21T09:02:00Z', 'Success'),
    ];

    expect(answers([...usual, ...tries])['failed-logins']).toMatchObject({
      state: 'hits',
      answer: '2 failed sign-ins, then a success at 2026-11-21 09:02 UTC WITHOUT MFA.',
      evidence: tries.map(({ eventID }) => eventID),
    });
    expect(
      answers([...usual, login('2026-11-21T09:02:00Z', 'Success'), login('2026-11-21T09:03:00Z', 'Failure')])[
        'failed-logins'
      ]?.answer,
    ).toContain('no success after it');
  });

  it('take an address of your own networks as expected', () => {
    const found = answers([...usual, call('2026-11-21T10:00:00Z', { sourceIPAddress: '203.0.113.5' })], {
      networkOf: () => 'Berlin office',
    });

    expect(found.place?.state).toBe('nothing-found');
  });
});
