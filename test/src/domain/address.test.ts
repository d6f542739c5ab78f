import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPrivateIp, parseIp, rangeHolding } from '../../../src/domain/address.ts';

describe('addresses', () => {
  it('takes every IPv4 address as it is, and none with a leading zero', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(3), (ip, at) => {
        const parts = ip.split('.');
        const padded = parts.with(at, `0${parts[at]}`).join('.');

        expect(parseIp(ip)).toBe(ip);
        expect(parseIp(padded)).toBeUndefined();
      }),
    );
  });

  it('gives one spelling for all spellings of an IPv6 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        const once = parseIp(ip);

        expect(once).toBeDefined();
        expect(parseIp(once ?? '')).toBe(once);
        expect(parseIp(ip.toUpperCase())).toBe(once);
      }),
    );
  });

  it('never throws for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (text, ranges) => {
        parseIp(text);
        isPrivateIp(text);
        rangeHolding(text, ranges);
      }),
    );
  });

  it.each([
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '100.64.0.1',
    '169.254.1.1',
    '0.0.0.0',
    'fd00::1',
    '::1',
    'fe80::1',
  ])('takes %s for an address of one network only', (ip) => expect(isPrivateIp(ip)).toBe(true));

  it.each(['203.0.113.99', '198.51.100.7', '8.8.8.8', '2001:db8::1', '2600::1', 'AWS Internal'])(
    'does not take %s for one',
    (ip) => expect(isPrivateIp(ip)).toBe(false),
  );

  it('finds the range that holds an address, by its own kind only', () => {
    expect(rangeHolding('203.0.113.99', ['nonsense', '::/0', '203.0.113.0/24'])).toBe('203.0.113.0/24');
    expect(rangeHolding('203.0.113.99', ['203.0.113.99'])).toBe('203.0.113.99');
    expect(rangeHolding('203.0.114.1', ['203.0.113.0/24'])).toBeUndefined();
  });
});
