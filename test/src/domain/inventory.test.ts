import { describe, expect, it } from 'vitest';
import { AccountEntry, accountWords, findAccount, repeatedAccounts } from '../../../src/domain/inventory.ts';

describe('an account of the inventory', () => {
  it('needs nothing but its id, and gets the zeros back that YAML took', () => {
    expect(AccountEntry.parse({ id: '111122223333' })).toEqual({ id: '111122223333' });
    expect(AccountEntry.parse({ id: 12345678901 }).id).toBe('012345678901');
  });

  it('may hold everything that AWS cannot tell', () => {
    const entry = {
      id: '111122223333',
      name: 'shop-prod',
      environment: 'prod',
      owner: 'payments',
      dataClass: 'PCI',
      contacts: ['#payments-oncall'],
      expectedCountries: ['de', 'NL'],
      egress: ['203.0.113.0/24', '2001:db8::/32', '198.51.100.1'],
      auditRole: 'arn:aws:iam::111122223333:role/FirebreakAudit',
      responderRole: 'arn:aws:iam::111122223333:role/FirebreakResponder',
      externalId: 'x',
      containment: 'approve2',
    };
    expect(AccountEntry.parse(entry)).toMatchObject({ dataClass: ['PCI'], expectedCountries: ['DE', 'NL'] });
  });

  it.each([
    ['a short id', { id: '123' }],
    ['a fraction', { id: 1.5 }],
    ['an unknown key', { id: '111122223333', ownr: 'x' }],
    ['an egress that is no range', { id: '111122223333', egress: ['office'] }],
    ['a country by name', { id: '111122223333', expectedCountries: ['Germany'] }],
    ['an unknown policy', { id: '111122223333', containment: 'sometimes' }],
  ])('is refused with %s', (_what, entry) => {
    expect(AccountEntry.safeParse(entry).success).toBe(false);
  });

  it('is found by id, and said to be missing where it is', () => {
    const accounts = [
      AccountEntry.parse({ id: '111122223333', name: 'shop' }),
      AccountEntry.parse({ id: '444455556666' }),
    ];
    expect(accountWords('111122223333', findAccount(accounts, '111122223333'))).toBe('shop (111122223333)');
    expect(accountWords('444455556666', findAccount(accounts, '444455556666'))).toBe('account 444455556666');
    expect(accountWords('999988887777', findAccount(accounts, '999988887777'))).toContain('not in the inventory');
  });

  it('is named when it is there twice', () => {
    expect(repeatedAccounts([{ id: '1' }, { id: '2' }, { id: '1' }, { id: '1' }])).toEqual(['1']);
  });
});
