import { describe, expect, it } from 'vitest';
import type { PersonProfile } from '../../../src/contracts/chat.ts';
import {
  approvingRefusal,
  areTwoPeople,
  askingRefusal,
  involvedRefusal,
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

describe('one known by name only and one known by e-mail only', () => {
  it('count as one, since the e-mail may be that of the name', () => {
    expect(areTwoPeople('name:alex', 'email:b@x')).toBe(false);
    expect(areTwoPeople('email:b@x', 'name:alex')).toBe(false);
    expect(areTwoPeople('name:alex email:a@x', 'email:b@x')).toBe(true);
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
    expect(areTwoPeople('name:alex', 'name:bea')).toBe(true);
    expect(areTwoPeople('listed:U1', 'listed:U2')).toBe(true);
    expect(areTwoPeople('name:alex', 'listed:U2')).toBe(true);
    expect(areTwoPeople('name:alex email:a@x', 'listed:U2')).toBe(true);
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

describe('the rules of people, one by one', () => {
  const groups = new Map([
    ['S1', ['UEVE']],
    ['S2', ['UOMAR']],
  ]);
  const eve = { ...omar, userId: 'UEVE', email: 'eve@example.com' };
  const only = 'only approvers may do this';
  const noGroup = 'only members of the approvers’ user group may do this';

  it('know a person without an e-mail by the list of responders too', () => {
    const responders = { users: ['UEVE'], groups: [] };

    expect(personOf({ userId: 'UEVE', email: '' }, { ...rules, responders })).toBe('listed:UEVE');
    expect(personOf({ userId: 'UX', email: undefined }, { ...rules, responders })).toBe('unknown:UX');
    expect(personOf({ userId: 'UOMAR', email: undefined }, { ...rules, responders })).toBe('listed:UOMAR');
  });

  it('let users alone, groups alone, or both decide who approves', () => {
    const by = (users: string[], ids: string[]) => ({ ...rules, approvers: { users, groups: ids } });

    expect(approvingRefusal(omar, by(['UOMAR'], []), nobody)).toBeUndefined();
    expect(approvingRefusal(eve, by(['UOMAR'], []), groups)).toBe(only);
    expect(approvingRefusal(eve, by([], ['S1']), groups)).toBeUndefined();
    expect(approvingRefusal(eve, by([], ['S1', 'S2']), groups)).toBeUndefined();
    expect(approvingRefusal(eve, by([], ['S2']), groups)).toBe(noGroup);
    expect(approvingRefusal(omar, by(['UOMAR'], ['S1']), groups)).toBe(noGroup);
    expect(approvingRefusal(omar, by([], []), groups)).toBe(
      'nobody may approve, because the config names no approvers',
    );
  });

  it('take any group of a policy’s crowd, and ask for one of them', () => {
    const also = (ids: string[], users: string[] = []) =>
      approvingRefusal(omar, rules, groups, [{ users, groups: ids }]);

    expect(also(['S1', 'S2'])).toBeUndefined();
    expect(also([], ['UOMAR'])).toBeUndefined();
    expect(also(['S1'])).toMatch(/policy/);
    expect(also(['S9'])).toMatch(/policy/);
    expect(also(['S1'], ['UOMAR'])).toMatch(/policy/);
  });

  it('let whoever is in one of the crowds ask, by id or by group, and every crowd must hold', () => {
    const asks = (...also: { users: string[]; groups: string[] }[]) => askingRefusal(eve, rules, groups, also);

    expect(asks({ users: ['UEVE'], groups: [] })).toBeUndefined();
    expect(asks({ users: [], groups: ['S2', 'S1'] })).toBeUndefined();
    expect(asks({ users: [], groups: ['S2'] })).toMatch(/policy/);
    expect(asks({ users: [], groups: ['S9'] })).toMatch(/policy/);
    expect(asks({ users: ['UEVE'], groups: [] }, { users: ['UOMAR'], groups: [] })).toMatch(/policy/);
  });

  it('let approvers ask who are no responders, and nobody else', () => {
    const responders = { users: [], groups: ['S1'] };

    expect(askingRefusal(eve, { ...rules, responders }, groups)).toBeUndefined();
    expect(askingRefusal(omar, { ...rules, responders }, groups)).toBeUndefined();
    expect(askingRefusal({ ...omar, userId: 'UX' }, { ...rules, responders }, groups)).toBe(
      'only responders may ask this',
    );
  });

  it('say why somebody has no say at all', () => {
    const why = (flag: object) => askingRefusal({ ...omar, ...flag }, rules, nobody);

    expect([{ deleted: true }, { bot: true }, { stranger: true }, { guest: true }].map(why)).toEqual([
      'this Slack account is deactivated',
      'bots decide nothing here',
      'this person is not a member of our workspace',
      'guests may read, but neither ask nor approve',
    ]);
  });

  it('take only the person’s own names for him', () => {
    const people = [
      { name: 'eve', slack: ['UEVE'], aws: ['Eve-Admin'] },
      { name: 'omar', slack: ['UOMAR'] },
    ];

    expect(involvedRefusal(eve, { people }, ['eve-admin'])).toMatch(/whose identity/);
    expect(involvedRefusal(omar, { people }, ['eve-admin'])).toBeUndefined();
    expect(
      involvedRefusal({ userId: 'UOMAR', email: undefined }, { people }, ['', 'Stryker was here']),
    ).toBeUndefined();
    expect(involvedRefusal({ userId: 'UOMAR', email: '' }, { people }, [''])).toBeUndefined();
    expect(involvedRefusal(omar, { people }, ['OMAR'])).toMatch(/whose identity/);
  });
});

describe('whoever it is about', () => {
  const touched = ['arn:aws:iam::1:user/alex', 'alex'];

  it('is told by the config or by the e-mail, and by nothing where neither says anything', () => {
    const named = { people: [{ name: 'alex', slack: ['UALEX'], aws: ['ALEX'] }] };

    expect(involvedRefusal({ userId: 'UALEX', email: undefined }, named, touched)).toBeDefined();
    expect(involvedRefusal({ userId: 'UBEA', email: 'Alex@example.com' }, rules, touched)).toBeDefined();
    expect(involvedRefusal({ userId: 'UBEA', email: undefined }, rules, touched)).toBeUndefined();
    expect(involvedRefusal({ userId: 'UBEA', email: '' }, rules, ['', ...touched])).toBeUndefined();
    expect(involvedRefusal({ userId: 'UBEA', email: undefined }, rules, [''])).toBeUndefined();
  });
});
