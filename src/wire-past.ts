/** Constructs the kept past; wire.ts constructs all else. */

import type { Config } from './config.ts';
import type { AddressBook } from './contracts/address.ts';
import type { Past } from './contracts/baseline.ts';
import type { Log } from './contracts/log.ts';
import { openAddresses } from './evidence/address-lists.ts';
import { openPast } from './evidence/lake/past.ts';

/** One per process: its update and its files serve all who ask. */
const known = new WeakMap<object, Past>();

export function connectPast(config: Pick<Config, 'dataDir' | 'addresses'>, log: Log): Past {
  const before = known.get(config);
  if (before) return before;
  let book: Promise<AddressBook> | undefined;
  const addresses = () => {
    book ??= openAddresses(config.addresses, log);
    return book;
  };
  const past = openPast({ dataDir: config.dataDir, addresses, log });
  known.set(config, past);
  return past;
}
