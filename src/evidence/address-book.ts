/** What local databases know of an address. Nothing is ever asked over the network (DOMAIN.md 6.5). */
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { open, type Reader, type Response } from 'maxmind';
import type { AddressBook, AddressFacts } from '../contracts/address.ts';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { AddressLists } from './address-lists.ts';

export interface AddressBookOptions {
  /** The operator's own country or city database (.mmdb); the npm package's country database where absent. */
  readonly countryFile?: string | undefined;
  /** The operator's own ASN database (.mmdb). No free one is on npm, so without it there is no ASN data. */
  readonly asnFile?: string | undefined;
  /** The operator's own city database (.mmdb). */
  readonly cityFile?: string | undefined;
  readonly lists?: AddressLists | undefined;
  readonly log: Log;
}

type Fields = Readonly<Record<string, unknown>>;

/** A database and the words that name it as a source: `country database (June 2026)`. */
interface Database {
  readonly reader: Reader<Response>;
  readonly name: string;
}

// Not Intl: its first use costs more than opening the database.
const months = 'January February March April May June July August September October November December'.split(' ');

function packagedCountries(): string {
  const require = createRequire(import.meta.url);
  return require.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb');
}

/** Undefined, with a warning, where the file cannot be read: a card without a country beats no card. */
async function openDatabase(file: string, kind: string, log: Log): Promise<Database | undefined> {
  try {
    const reader = await open<Response>(file, { cache: { max: 1_000 } });
    const built = new Date(reader.metadata.buildEpoch);
    const month = months[built.getUTCMonth()];
    const name = month === undefined ? `${kind} database` : `${kind} database (${month} ${built.getUTCFullYear()})`;
    return { reader, name };
  } catch (thrown) {
    log.warn({ file, err: asError(thrown) }, 'address database cannot be read; cards go without its data');
    return undefined;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** The shapes of GeoLite2 and DB-IP (`country.iso_code`), ip-location-db and IPinfo (`country_code`, `country`). */
function countryOf(record: Fields): string | undefined {
  return textOf(record.country_code) ?? textOf(fieldsOf(record.country).iso_code) ?? textOf(record.country);
}

/** `city.names.en` of GeoLite2 and DB-IP, `city` of ip-location-db and IPinfo. */
function cityOf(record: Fields): string | undefined {
  return textOf(fieldsOf(fieldsOf(record.city).names).en) ?? textOf(record.city);
}

function asnOf(record: Fields): { asn?: string | undefined; organization?: string | undefined } {
  const number = record.autonomous_system_number ?? record.asn;
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(String(number ?? ''))?.[1];
  // 0 is reserved (RFC 7607): it means that nobody announces the address.
  return {
    asn: digits === undefined || Number(digits) === 0 ? undefined : digits,
    organization:
      textOf(record.autonomous_system_organization) ?? textOf(record.as_name) ?? textOf(record.as_organization),
  };
}

/**
 * Opens the address book. The databases are read into memory once (some 20 ms for the packaged one).
 * `lookUp` is synchronous, answers undefined for anything that is no IP address (`AWS Internal`, a service name), and
 * leaves a field out where no database knows it.
 */
export async function openAddressBook(options: AddressBookOptions): Promise<AddressBook> {
  const { log, lists } = options;
  const [countries, asns, cities] = await Promise.all([
    openDatabase(options.countryFile ?? packagedCountries(), 'country', log),
    options.asnFile === undefined ? undefined : openDatabase(options.asnFile, 'ASN', log),
    options.cityFile === undefined ? undefined : openDatabase(options.cityFile, 'city', log),
  ]);
  const missing = [
    ...(countries === undefined ? ['the country database cannot be read'] : []),
    ...(cities === undefined
      ? [options.cityFile === undefined ? 'no city database is configured' : 'the city database cannot be read']
      : []),
    ...(asns === undefined
      ? [options.asnFile === undefined ? 'no ASN database is configured' : 'the ASN database cannot be read']
      : []),
    ...(lists?.missing ?? []),
  ];

  function recordOf(database: Database | undefined, ip: string): Fields {
    if (database === undefined) return {};
    try {
      return fieldsOf(database.reader.get(ip));
    } catch (thrown) {
      log.warn({ database: database.name, err: asError(thrown) }, 'address database is damaged; lookup skipped');
      return {};
    }
  }

  return {
    lookUp(text) {
      const ip = text.trim();
      // ipaddr.js alone would also take `1`, `0x7f.1` and octal forms.
      if (isIP(ip) === 0) return undefined;
      const address = ipaddr.process(ip);
      const range = address.range();
      const listed = lists?.lookUp(address.toString());
      if (range === 'reserved') return { ...listed, ip, range, from: listed?.from ?? [] };
      // A private address is on no public list, but may have a name here.
      if (range !== 'unicast') return { ip, range, network: listed?.network, from: listed?.network ? ['config'] : [] };
      const plain = address.toString();
      const country = countryOf(recordOf(countries, plain)) ?? countryOf(recordOf(cities, plain));
      const city = cityOf(recordOf(cities, plain));
      const { asn, organization } = asnOf(recordOf(asns, plain));
      const from: string[] = [];
      if (country !== undefined && countries !== undefined) from.push(countries.name);
      if ((asn ?? organization) !== undefined && asns !== undefined) from.push(asns.name);
      if (city !== undefined && cities !== undefined) from.push(cities.name);
      from.push(...(listed?.from ?? []));
      const { awsRange, torExit, network } = listed ?? {};
      const facts: AddressFacts = {
        ip,
        range: 'public',
        country,
        city,
        asn,
        organization,
        from,
        awsRange,
        torExit,
        network,
        missing,
      };
      return facts;
    },
  };
}
