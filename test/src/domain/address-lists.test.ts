import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { awsRangesOf, networkOf, torExitsOf } from '../../../src/domain/address-lists.ts';

const ranges = awsRangesOf(
  JSON.stringify({
    syncToken: '1',
    createDate: '2026-11-01-00-00-00',
    prefixes: [
      { ip_prefix: '3.4.12.4/32', region: 'eu-west-1', service: 'AMAZON', network_border_group: 'eu-west-1' },
      { ip_prefix: '3.0.0.0/9', region: 'us-east-1', service: 'AMAZON', network_border_group: 'x' },
      { ip_prefix: '3.0.0.0/15', region: 'ap-southeast-1', service: 'EC2', network_border_group: 'x' },
      { ip_prefix: 'nonsense', region: 'x', service: 'EC2', network_border_group: 'x' },
    ],
    ipv6_prefixes: [{ ipv6_prefix: '2600:1f18::/33', region: 'us-east-1', service: 'EC2', network_border_group: 'x' }],
  }),
);

describe("AWS's ranges", () => {
  it('give the narrowest range, its Region and the services', () => {
    expect(ranges.find('3.1.2.3')).toEqual({ prefix: '3.0.0.0/15', region: 'ap-southeast-1', services: ['EC2'] });
    expect(ranges.find('3.4.12.4')).toEqual({ prefix: '3.4.12.4/32', region: 'eu-west-1', services: ['AMAZON'] });
    expect(ranges.find('2600:1f18::1')).toMatchObject({ services: ['EC2'], region: 'us-east-1' });
    expect(ranges.find('198.51.100.7')).toBeUndefined();
  });

  it('survive any address, and refuse what is no such file', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (ip) => {
        ranges.find(ip);
      }),
    );
    expect(() => awsRangesOf('{"prefixes": 5}')).toThrow();
    expect(() => awsRangesOf('<html>')).toThrow(SyntaxError);
  });
});

it("a Tor list is plain lines or the project's own form", () => {
  const list = torExitsOf(
    '# exits\n192.0.2.1\r\nExitNode ABC\nExitAddress 192.0.2.2 2026-11-01 12:00:00\n2001:db8:0::1\nwhat\n',
  );

  expect([...list.addresses]).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  expect(list.odd).toBe(1);
});

it("networks have the operator's names", () => {
  const networks = [{ name: 'Berlin', kind: 'office' as const, ranges: ['198.51.100.0/24', '2001:db8::/32'] }];

  expect(networkOf('198.51.100.9', networks)).toEqual({ name: 'Berlin', kind: 'office', range: '198.51.100.0/24' });
  expect(networkOf('192.0.2.9', networks)).toBeUndefined();
});
