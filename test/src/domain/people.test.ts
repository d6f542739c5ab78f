import { describe, expect, it } from 'vitest';
import type { PersonProfile } from '../../../src/contracts/chat.ts';
import {
  approvingRefusal,
  areTwoPeople,
  askingRefusal,
  type PeopleRules,
  personOf,
} from '../../../src/domain/people.ts';

const omar: PersonProfile = {
  userId: 'UOMAR',
  teamId: 'T1',
  enterpriseId: undefined,
  email: 'Omar@Example.com',
  displayName: 'Omar',
  deleted: false,
  bot: false,
  guest: false,
  stranger: false,
};
const rules: PeopleRules = {
  approvers: { users: ['UOMAR'], groups: [] },
  responders: undefined,
  people: [{ name: 'alex', slack: ['UALEX', 'UALEX2'] }],
};
const nobody = new Map<string, readonly string[]>();

describe('two people', () => {
  it('are not the same e-mail under a name of the config and without one', () => {
    const mapped = personOf({ userId: 'UALEX2', email: 'x@example.com' }, rules);
    const other = personOf({ userId: 'UOTHER', email: 'X@example.com' }, rules);

    expect(areTwoPeople(mapped, other)).toBe(false);
    expect(areTwoPeople('name:alex', 'name:alex email:x@example.com')).toBe(false);
    expect(areTwoPeople('name:alex email:x@example.com', 'name:bea email:y@example.com')).toBe(true);
    expect(areTwoPeople('name:alex email:x@example.com', 'email:y@example.com')).toBe(true);
  });
});

describe('a person', () => {
  it('is known by the mapping, then the e-mail without regard to case, then by being listed', () => {
    expect(personOf({ userId: 'UALEX2', email: 'x@example.com' }, rules)).toBe('name:alex email:x@example.com');
    expect(personOf(omar, rules)).toBe('email:omar@example.com');
    expect(personOf({ userId: 'UOMAR', email: undefined }, rules)).toBe('listed:UOMAR');
    expect(personOf({ userId: 'UX', email: undefined }, rules)).toBe('unknown:UX');
  });

  it('is two people only where that is certain', () => {
    expect(areTwoPeople('email:a@x', 'email:b@x')).toBe(true);
    expect(areTwoPeople('name:alex', 'email:b@x')).toBe(true);
    expect(areTwoPeople('listed:U1', 'listed:U2')).toBe(true);
    expect(areTwoPeople('email:a@x', 'email:a@x')).toBe(false);
    expect(areTwoPeople('email:a@x', 'listed:U2')).toBe(false);
    expect(areTwoPeople('email:a@x', 'unknown:U2')).toBe(false);
    expect(areTwoPeople('unknown:U1', 'unknown:U2')).toBe(false);
  });
});

describe('approving', () => {
  it.each(['deleted', 'bot', 'guest', 'stranger'] as const)(
    'is refused to somebody who is %s, even when listed',
    (flag) => {
      expect(approvingRefusal({ ...omar, [flag]: true }, rules, nobody)).toBeDefined();
      expect(askingRefusal({ ...omar, [flag]: true }, rules, nobody)).toBeDefined();
    },
  );

  it('is refused to everybody where the lists are empty', () => {
    expect(approvingRefusal(omar, { ...rules, approvers: { users: [], groups: [] } }, nobody)).toBeDefined();
  });

  it('asks for both where users and groups are named: editing a group makes nobody an approver', () => {
    const both = { ...rules, approvers: { users: ['UOMAR'], groups: ['S1'] } };

    expect(approvingRefusal(omar, both, new Map([['S1', ['UOMAR']]]))).toBeUndefined();
    expect(approvingRefusal(omar, both, new Map([['S1', ['UEVE']]]))).toBeDefined();
    expect(approvingRefusal({ ...omar, userId: 'UEVE' }, both, new Map([['S1', ['UEVE']]]))).toBeDefined();
  });

  it('is refused where the group could not be read', () => {
    const byGroup = { ...rules, approvers: { users: [], groups: ['S1'] } };

    expect(approvingRefusal(omar, byGroup, nobody)).toBeDefined();
  });
});

describe('asking', () => {
  it('is open to full members where no responders are named, and to nobody where the list is empty', () => {
    const eve = { ...omar, userId: 'UEVE' };

    expect(askingRefusal(eve, rules, nobody)).toBeUndefined();
    expect(askingRefusal(eve, { ...rules, responders: { users: [], groups: [] } }, nobody)).toBeDefined();
    expect(askingRefusal(eve, { ...rules, responders: { users: ['UEVE'], groups: [] } }, nobody)).toBeUndefined();
  });
});
