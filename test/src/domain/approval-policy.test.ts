import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolicyRule, rightsFor } from '../../../src/domain/approval-policy.ts';
import { approvingRefusal, askingRefusal, involvedRefusal } from '../../../src/domain/people.ts';

const asked = {
  action: { name: 'deny-all' },
  isReversible: true,
  accountId: '111122223333',
  environment: 'prod',
} as const;

function rules(...written: readonly unknown[]): PolicyRule[] {
  return written.map((rule) => PolicyRule.parse(rule));
}

describe('the rules of approval', () => {
  it('say nothing where there are none', () => {
    expect(rightsFor([], [], asked)).toEqual({
      ...{ forbidden: undefined, ask: [], approve: [], required: 1, expiryMinutes: undefined },
      ...{ stepUp: false, alone: false },
    });
  });

  it('hold by action, account and environment, and only where all three match', () => {
    const strict = { required: 3 };
    for (const [rule, required] of [
      [{ ...strict, actions: ['deny-*'] }, 3],
      [{ ...strict, actions: ['disable-*'] }, 1],
      [{ ...strict, accounts: ['111122223333'] }, 3],
      [{ ...strict, accounts: ['444455556666'] }, 1],
      [{ ...strict, environments: ['prod'] }, 3],
      [{ ...strict, environments: ['dev'] }, 1],
      [{ ...strict, actions: ['deny-all'], environments: ['dev'] }, 1],
    ] as const) {
      expect(rightsFor(rules(rule), [], asked).required, JSON.stringify(rule)).toBe(required);
    }
  });

  it('forbid whatever another rule allows', () => {
    const both = rules({ alone: true, required: 1 }, { actions: ['*'], forbidden: 'not here' });

    expect(rightsFor(both, [], asked).forbidden).toBe('not here');
  });

  it('ask for a code where any rule or the list of approvers does', () => {
    expect(rightsFor(rules({ stepUp: true }), [], asked).stepUp).toBe(true);
    expect(rightsFor([], ['deny-*'], asked).stepUp).toBe(true);
    expect(rightsFor(rules({ stepUp: false }), ['deny-all'], asked).stepUp).toBe(true);
  });

  it('let nobody be alone with what is final, with what two must approve, or where one rule speaks against it', () => {
    const alone = rules({ alone: true });

    expect(rightsFor(alone, [], asked).alone).toBe(true);
    expect(rightsFor(alone, [], { ...asked, isReversible: false }).alone).toBe(false);
    expect(rightsFor(alone, [], { ...asked, action: { name: 'delete-user', kind: 'eradication' } }).alone).toBe(false);
    expect(rightsFor([...alone, ...rules({ required: 2 })], [], asked).alone).toBe(false);
    expect(rightsFor([...alone, ...rules({ alone: false })], [], asked).alone).toBe(false);
  });

  it('match by any of several names, and by environment only where it is known', () => {
    expect(rightsFor(rules({ required: 3, actions: ['x', 'deny-*'] }), [], asked).required).toBe(3);
    expect(
      rightsFor(rules({ required: 3, environments: ['prod'] }), [], { ...asked, environment: undefined }).required,
    ).toBe(1);
    expect(rightsFor(rules({ required: 3 }), [], { ...asked, environment: undefined }).required).toBe(3);
  });

  it('take the shortest time, every crowd, the first reason, and only what is said', () => {
    const one = { users: ['U01'], groups: [] };
    const two = { users: [], groups: ['S02'] };
    const said = rightsFor(
      rules(
        { expiryMinutes: 20, ask: one },
        { expiryMinutes: 5, approve: two },
        { approve: one, alone: true },
        { required: 1 },
      ),
      ['other'],
      asked,
    );

    expect(said).toEqual({
      ...{ forbidden: undefined, ask: [one], approve: [two, one], required: 1, expiryMinutes: 5 },
      ...{ stepUp: false, alone: true },
    });
    expect(rightsFor(rules({ stepUp: false }), [], asked).stepUp).toBe(false);
    expect(rightsFor(rules({ alone: true }, { stepUp: true }), [], asked).alone).toBe(true);
  });

  it.each([
    { actions: [] },
    { actions: [' '] },
    { accounts: [] },
    { accounts: ['1111222233334'] },
    { accounts: ['x111122223333'] },
    { environments: [] },
    { forbidden: ' ' },
    { required: 0 },
    { required: 6 },
    { required: 1.5 },
    { expiryMinutes: 0 },
    { expiryMinutes: 1_441 },
    { stepUp: 'yes' },
    { unknown: true },
  ])('are not read where they make no sense: %j', (rule) => {
    expect(PolicyRule.safeParse(rule).success).toBe(false);
  });

  it('are read without spaces around names, at their limits too', () => {
    const rule = { actions: [' deny-all ', 'x'], forbidden: ' no ', accounts: ['111122223333', '444455556666'] };

    expect(PolicyRule.parse(rule)).toEqual({ ...rule, actions: ['deny-all', 'x'], forbidden: 'no' });
    for (const limit of [{ required: 1 }, { required: 5 }, { expiryMinutes: 1 }, { expiryMinutes: 1_440 }]) {
      expect(PolicyRule.parse(limit)).toEqual(limit);
    }
  });

  it('never get looser by another rule', () => {
    const rule = fc.record(
      {
        required: fc.integer({ min: 1, max: 5 }),
        expiryMinutes: fc.integer({ min: 1, max: 60 }),
        stepUp: fc.boolean(),
        forbidden: fc.constant('no'),
        approve: fc.constant({ users: ['U01'], groups: [] }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), rule, (some, one) => {
        const before = rightsFor(rules(...some), [], asked);
        const after = rightsFor(rules(...some, one), [], asked);
        expect(after.required).toBeGreaterThanOrEqual(before.required);
        expect(after.expiryMinutes ?? Infinity).toBeLessThanOrEqual(before.expiryMinutes ?? Infinity);
        expect(Number(after.stepUp)).toBeGreaterThanOrEqual(Number(before.stepUp));
        expect(after.approve.length).toBeGreaterThanOrEqual(before.approve.length);
        if (before.forbidden !== undefined) expect(after.forbidden).toBeDefined();
      }),
    );
  });
});

describe('a crowd of a policy', () => {
  const profile = {
    ...{ userId: 'U01', teamId: 'T1', enterpriseId: undefined, email: 'alex@example.com', displayName: 'Alex' },
    ...{ deleted: false, bot: false, guest: false, stranger: false },
  };
  const people = { approvers: { users: ['U01'], groups: [] }, responders: undefined, people: [] };
  const groups = new Map([['S01', ['U01']]]);

  it('must hold beside the approvers of the config: users and groups where it names both', () => {
    expect(approvingRefusal(profile, people, groups, [{ users: ['U01'], groups: ['S01'] }])).toBeUndefined();
    expect(approvingRefusal(profile, people, new Map(), [{ users: ['U01'], groups: ['S01'] }])).toMatch(/policy/);
    expect(approvingRefusal(profile, people, groups, [{ users: ['U02'], groups: ['S01'] }])).toMatch(/policy/);
    expect(approvingRefusal(profile, people, groups, [{ users: [], groups: [] }])).toMatch(/policy/);
    expect(askingRefusal(profile, people, groups, [{ users: ['U02'], groups: [] }])).toMatch(/policy/);
  });

  it('gives no say to whoever the target seems to be', () => {
    const named = { people: [{ name: 'alex', slack: ['U01'], aws: ['arn:aws:iam::1:user/al'] }] };

    expect(involvedRefusal(profile, named, ['arn:aws:iam::1:user/AL'])).toMatch(/whose identity/);
    expect(involvedRefusal(profile, { people: [] }, ['AIDA1', 'alex'])).toMatch(/whose identity/);
    expect(involvedRefusal(profile, { people: [] }, ['alex@example.com'])).toMatch(/whose identity/);
    expect(involvedRefusal({ userId: 'U02', email: undefined }, named, ['', 'al'])).toBeUndefined();
  });
});
