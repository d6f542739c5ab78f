/** The operator's lists of addresses, from files. Nothing is ever fetched. */
import { readFile, stat } from 'node:fs/promises';
import type { AddressBook, AddressFacts } from '../contracts/address.ts';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { type AddressesSection, awsRangesOf, networkOf, torExitsOf } from '../domain/address-lists.ts';
import { openAddressBook } from './address-book.ts';

export interface AddressLists {
  lookUp(ip: string): Pick<AddressFacts, 'awsRange' | 'torExit' | 'network' | 'from'>;
  /** Lists that are not there, one sentence each. */
  readonly missing: readonly string[];
}

/** The address book with everything that the config names. */
export async function openAddresses(config: AddressesSection, log: Log): Promise<AddressBook> {
  const { country, asn, city } = config;
  return openAddressBook({
    countryFile: country,
    asnFile: asn,
    cityFile: city,
    lists: await openAddressLists(config, log),
    log,
  });
}

/** Reads the lists. A file that cannot be read is a warning and a gap that answers name, never a failure. */
async function openAddressLists(config: AddressesSection, log: Log): Promise<AddressLists> {
  const [aws, tor] = await Promise.all([
    read(config.awsRanges, 'AWS ranges', log, (text) => awsRangesOf(text)),
    read(config.tor, 'Tor exit list', log, (text) => torExitsOf(text)),
  ]);
  if (tor?.value.odd)
    log.warn({ file: config.tor, lines: tor.value.odd }, 'lines of the Tor exit list are no addresses');
  const missing = [
    ...(aws === undefined
      ? [
          config.awsRanges === undefined
            ? "no file of AWS's address ranges is configured"
            : "the file of AWS's address ranges cannot be read",
        ]
      : []),
    ...(tor === undefined
      ? [config.tor === undefined ? 'no Tor exit list is configured' : 'the Tor exit list cannot be read']
      : []),
  ];
  return {
    missing,
    lookUp(ip) {
      const awsRange = aws?.value.find(ip);
      const network = networkOf(ip, config.networks);
      const torExit = tor?.value.addresses.has(ip);
      const from = [
        ...(awsRange ? [`AWS ranges${aws?.value.date ? ` (${aws.value.date})` : ''}`] : []),
        ...(tor === undefined ? [] : [`Tor exit list (${tor.date})`]),
        ...(network ? ['config'] : []),
      ];
      return { awsRange, torExit, network, from };
    },
  };
}

async function read<T>(
  file: string | undefined,
  what: string,
  log: Log,
  parse: (text: string) => T,
): Promise<{ readonly value: T; readonly date: string } | undefined> {
  if (file === undefined) return undefined;
  try {
    const [text, { mtime }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    return { value: parse(text), date: mtime.toISOString().slice(0, 10) };
  } catch (thrown) {
    log.warn({ file, what, err: asError(thrown) }, 'a list of addresses cannot be read; answers go without it');
    return undefined;
  }
}
