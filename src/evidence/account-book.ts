/** The inventory: the config first, then files in their order, then AWS Organizations. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { AccountBook, AccountFacts, AccountLook } from '../contracts/surroundings.ts';
import type { Account } from '../domain/inventory.ts';
import { factsOfConfig, type InventorySection, mergeFacts, parseInventoryFile } from '../domain/inventory-sources.ts';

export interface AccountBookOptions {
  readonly accounts: readonly Account[];
  readonly inventory: InventorySection;
  /** AWS Organizations, where the config asks for it. */
  readonly organization?: ((accountId: string) => Promise<AccountLook>) | undefined;
  readonly log: Log;
}

/** Reads the files once, at the start. What cannot be read is a warning, and named by every answer. */
export async function openAccountBook({
  accounts,
  inventory,
  organization,
  log,
}: AccountBookOptions): Promise<AccountBook> {
  const files: (readonly AccountFacts[])[] = [];
  const missing: string[] = [];
  for (const path of inventory.files) {
    try {
      const { accounts: found, problems } = parseInventoryFile(await readFile(path, 'utf8'), basename(path));
      files.push(found);
      if (problems.length > 0)
        log.warn({ file: path, problems: problems.slice(0, 20) }, 'rows of an inventory file cannot be used');
    } catch (thrown) {
      log.warn({ file: path, err: asError(thrown) }, 'an inventory file cannot be read; answers go without it');
      missing.push(`${basename(path)} cannot be read`);
    }
  }
  const config = accounts.map(factsOfConfig);
  const offline = new Map<string, AccountFacts>();
  for (const id of new Set([...config, ...files.flat()].map((facts) => facts.id))) {
    const merged = mergeFacts([config, ...files].map((source) => source.find((facts) => facts.id === id)));
    if (merged) offline.set(id, merged);
  }
  return {
    known: () => [...offline.values()],
    async find(accountId) {
      const here = offline.get(accountId);
      if (organization === undefined || !/^\d{12}$/.test(accountId)) return { account: here, missing };
      const told = await organization(accountId);
      return { account: mergeFacts([here, told.account]), missing: [...missing, ...told.missing] };
    },
  };
}
