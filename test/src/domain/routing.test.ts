import { describe, expect, it } from 'vitest';
import { channelFor } from '../../../src/domain/routing.ts';

const channels = {
  default: 'C-DEFAULT',
  critical: 'C-CRITICAL',
  high: 'C-HIGH',
  accounts: { '111122223333': 'C-SHOP' },
  environments: { Prod: 'C-PROD' },
};
const alert = (severity: number, accountId = '999988887777') => ({ severity, accountId });

describe('the channel of an alert', () => {
  it("is its account's before its environment's, its severity's and the default", () => {
    const account = { id: '111122223333', environment: 'prod' };
    expect(channelFor({ alert: alert(9.5, account.id), account, channels })).toBe('C-SHOP');
  });

  it("is its environment's before its severity's, in upper or lower case", () => {
    const account = { id: '999988887777', environment: 'PROD' };
    expect(channelFor({ alert: alert(9.5), account, channels })).toBe('C-PROD');
  });

  it("is its severity's, else the default, outside of the inventory", () => {
    const at = (severity: number) => channelFor({ alert: alert(severity), account: undefined, channels });
    expect([9, 8, 5, 2, 0].map(at)).toEqual(['C-CRITICAL', 'C-HIGH', 'C-DEFAULT', 'C-DEFAULT', 'C-HIGH']);
  });

  it('is never taken from a prototype', () => {
    const account = { id: '999988887777', environment: 'constructor' };
    expect(channelFor({ alert: alert(2, '__proto__'), account, channels })).toBe('C-DEFAULT');
    expect(channelFor({ alert: alert(2), account, channels: { default: 'C-DEFAULT' } })).toBe('C-DEFAULT');
  });
});
