import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Log } from '../../../src/contracts/log.ts';
import { openAddressBook } from '../../../src/evidence/address-book.ts';

const warnings: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_fields, message) => void warnings.push(message),
  error: () => undefined,
};
const folder = mkdtempSync(join(tmpdir(), 'address-book-'));
afterAll(() => rmSync(folder, { recursive: true }));
const book = await openAddressBook({ log });

describe('the address book', () => {
  it('knows the country of a public address, and says from where', () => {
    const facts = book.lookUp('8.8.8.8');
    expect(facts).toMatchObject({ ip: '8.8.8.8', range: 'public', country: 'US' });
    expect(facts?.from[0]).toMatch(/^country database \(\w+ 20\d\d\)$/);
    expect(book.lookUp(' 2a00:1450:4001::1 ')?.country).toMatch(/^[A-Z]{2}$/);
    expect(book.lookUp('::ffff:8.8.8.8')?.country).toBe('US');
  });

  it('has no ASN data without an ASN database, rather than a guess', () => {
    expect(book.lookUp('8.8.8.8')).toMatchObject({ asn: undefined, organization: undefined });
  });

  it.each([
    ['10.1.2.3', 'private'],
    ['127.0.0.1', 'loopback'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['169.254.169.254', 'linkLocal'],
    ['fd00::1', 'uniqueLocal'],
    ['198.51.100.7', 'reserved'],
  ])('says of %s only that it is %s', (ip, range) => {
    expect(book.lookUp(ip)).toEqual({ ip, range, from: [] });
  });

  it.each(['AWS Internal', 'ec2.amazonaws.com', '', '1', '0x7f.1', '035.249.253.232', '1.2.3', '8.8.8.8/32'])(
    'does not take %j for an address',
    (text) => expect(book.lookUp(text)).toBeUndefined(),
  );

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
        book.lookUp(text);
      }),
    );
  });

  it("reads the operator's own database, and goes without one that cannot be read, with a warning", async () => {
    const require = createRequire(import.meta.url);
    const own = require.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv4.mmdb');
    expect((await openAddressBook({ countryFile: own, log })).lookUp('8.8.8.8')?.country).toBe('US');
    expect(warnings).toEqual([]);

    const broken = join(folder, 'broken.mmdb');
    writeFileSync(broken, 'no database');
    const bare = await openAddressBook({ countryFile: broken, asnFile: join(folder, 'absent.mmdb'), log });
    expect(bare.lookUp('8.8.8.8')).toMatchObject({ range: 'public', country: undefined, from: [] });
    expect(warnings).toHaveLength(2);
  });
});
