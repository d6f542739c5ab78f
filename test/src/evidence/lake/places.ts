/** An address book for tests of baselines: 203.0.113.x is at home, 198.51.100.x abroad. */
import type { AddressBook } from '../../../../src/contracts/address.ts';

export const places: AddressBook = placesOf('country database (June 2026)');

export function placesOf(name: string): AddressBook {
  return {
    lookUp(ip) {
      const country = ip.startsWith('198.51.100.') ? 'BR' : 'DE';
      return { ip, range: 'public', country, asn: country === 'DE' ? '1' : '2', from: [name] };
    },
  };
}
