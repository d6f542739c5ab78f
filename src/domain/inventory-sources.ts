/** The inventory from other places than the config: exports of a CMDB or of Steampipe, AWS Organizations (DOMAIN.md 6.4). */
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import type { AccountFacts } from '../contracts/surroundings.ts';
import type { Account } from './inventory.ts';

/** The config's section `inventory`. */
export const InventorySection = z
  .strictObject({
    /** CSV or JSON, one row per account. */
    files: z.array(z.string().min(1)).default([]),
    /** Ask AWS Organizations for names, OUs, tags and contacts. */
    organizations: z.boolean().default(false),
  })
  .default({ files: [], organizations: false });
export type InventorySection = z.output<typeof InventorySection>;

export interface InventoryFile {
  readonly accounts: readonly AccountFacts[];
  /** Rows that could not be used, one sentence each. */
  readonly problems: readonly string[];
}

/** Names of columns, in lower case without spaces, dashes and underscores. The first that has a value wins. */
const columns = {
  id: ['accountid', 'awsaccountid', 'account', 'id'],
  name: ['accountname', 'name', 'title', 'alias'],
  environment: ['environment', 'env', 'stage'],
  owner: ['owner', 'ownerteam', 'team', 'costowner', 'responsible'],
  dataClass: ['dataclass', 'dataclassification', 'classification', 'dataclasses'],
  contacts: ['contacts', 'contact', 'securitycontact', 'slack', 'email'],
  expectedCountries: ['expectedcountries', 'countries', 'homecountries'],
  egress: ['egress', 'egressranges', 'cidrs'],
  ou: ['ou', 'organizationalunit', 'oupath', 'path'],
} as const;

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads a file of accounts: CSV with a header, a JSON array, or `{"rows": [...]}` as Steampipe writes. Throws SyntaxError or
 * the CSV parser's error where it is neither. Tags (an object, or JSON in a cell) fill what has no column of its own.
 */
export function parseInventoryFile(text: string, source: string): InventoryFile {
  const clean = text.replace(/^\ufeff/, '');
  const rows = /^\s*[[{]/.test(clean)
    ? rowsOfJson(JSON.parse(clean))
    : (parseCsv(clean, {
        columns: true,
        skip_empty_lines: true,
        trim: true,
        relax_column_count: true,
      }) as readonly unknown[]);
  const accounts: AccountFacts[] = [];
  const problems: string[] = [];
  rows.forEach((row, index) => {
    const read =
      typeof row === 'object' && row !== null && !Array.isArray(row) ? factsOfRow(row as Row, source) : undefined;
    if (read === undefined) problems.push(`${source}: row ${index + 1} has no 12-digit account id`);
    else accounts.push(read);
  });
  if (rows.length === 0) problems.push(`${source}: it has no rows`);
  return { accounts, problems };
}

function rowsOfJson(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const inner = ['rows', 'accounts', 'Accounts', 'items'].map((name) => (value as Row)[name]).find(Array.isArray);
  if (inner === undefined) throw new SyntaxError('neither an array nor an object with rows');
  return inner as readonly unknown[];
}

/** One account from a row of any of these sources; undefined where it has no account id. */
export function factsOfRow(row: Row, source: string): AccountFacts | undefined {
  const fields = new Map<string, unknown>();
  // A column wins over a tag of the same name.
  for (const [key, value] of [...Object.entries(tagsOf(row)), ...Object.entries(row)])
    if (!isEmpty(value)) fields.set(plain(key), value);
  const first = (names: readonly string[]) =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined);
  const id = accountIdOf(first(columns.id));
  if (id === undefined) return undefined;
  const word = (names: readonly string[]) => wordOf(first(names));
  const words = (names: readonly string[]) => wordsOf(first(names));
  const countries = words(columns.expectedCountries)
    ?.map((country) => country.toUpperCase())
    .filter((country) => /^[A-Z]{2}$/.test(country));
  const egress = words(columns.egress)?.filter(
    (range) => z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]).safeParse(range).success,
  );
  return compact({
    id,
    name: word(columns.name),
    environment: word(columns.environment),
    owner: word(columns.owner),
    dataClass: words(columns.dataClass),
    contacts: words(columns.contacts),
    expectedCountries: countries && countries.length > 0 ? countries : undefined,
    egress: egress && egress.length > 0 ? egress : undefined,
    ou: word(columns.ou),
    tags: tagWords(tagsOf(row)),
    from: [source],
  });
}

/** Steampipe has tags as an object, AWS as a list of Key and Value, CSV exports as JSON in a cell. */
function tagsOf(row: Row): Row {
  const cell = row.tags ?? row.Tags;
  const value = typeof cell === 'string' && /^\s*[[{]/.test(cell) ? jsonOr(cell) : cell;
  if (Array.isArray(value)) {
    return Object.fromEntries(
      value.flatMap((tag: unknown) => {
        const { Key, Value } = (tag ?? {}) as Row;
        return typeof Key === 'string' ? [[Key, Value] as const] : [];
      }),
    );
  }
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function tagWords(tags: Row): Readonly<Record<string, string>> | undefined {
  const words = Object.entries(tags).flatMap(([key, value]) => {
    const word = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    return word === undefined ? [] : [[key, word.slice(0, 256)] as const];
  });
  return words.length === 0 ? undefined : Object.fromEntries(words.slice(0, 50));
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Spreadsheets drop leading zeros; the console groups the digits. */
function accountIdOf(value: unknown): string | undefined {
  const text = String(value ?? '')
    .trim()
    .replaceAll(/[\s'-]/g, '');
  return /^\d{9,12}$/.test(text) ? text.padStart(12, '0') : undefined;
}

function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[\s_-]/g, '');
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).trim().slice(0, 200) || undefined
    : undefined;
}

function wordsOf(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value)
    ? value.flatMap((item) => wordOf(item) ?? [])
    : (wordOf(value)?.split(/[,;|]/) ?? []);
  const words = list.map((word) => word.trim()).filter((word) => word !== '');
  return words.length > 0 ? words.slice(0, 20) : undefined;
}

function compact(facts: AccountFacts): AccountFacts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as unknown as AccountFacts;
}

/** Facts of the config, which win over every other source. */
export function factsOfConfig(account: Account): AccountFacts {
  const { id, name, environment, owner, dataClass, contacts, expectedCountries, egress, tags } = account;
  return compact({
    id,
    name,
    environment,
    owner,
    dataClass,
    contacts,
    expectedCountries,
    egress,
    tags,
    from: ['config'],
  });
}

/** The account as cards show it and routing reads it: the config's entry, filled from the other sources. */
export function shownAccount(config: Account | undefined, facts: AccountFacts | undefined): Account | undefined {
  if (facts === undefined) return config;
  const { id, name, environment, owner, dataClass, contacts, expectedCountries, egress, tags } = facts;
  const lists = {
    ...(dataClass === undefined ? {} : { dataClass: [...dataClass] }),
    ...(contacts === undefined ? {} : { contacts: [...contacts] }),
    ...(expectedCountries === undefined ? {} : { expectedCountries: [...expectedCountries] }),
    ...(egress === undefined ? {} : { egress: [...egress] }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
  };
  return { id, name, environment, owner, ...lists, ...config };
}

/** Field by field the first source that says something; `from` names those that did. Undefined where no source knows the account. */
export function mergeFacts(sources: readonly (AccountFacts | undefined)[]): AccountFacts | undefined {
  const known = sources.filter((one) => one !== undefined);
  if (known.length === 0) return undefined;
  const merged: Record<string, unknown> = {};
  const from: string[] = [];
  for (const facts of known) {
    const adds = Object.entries(facts).filter(
      ([key, value]) => key !== 'from' && value !== undefined && !(key in merged),
    );
    for (const [key, value] of adds) merged[key] = value;
    if (adds.length > 0) from.push(...facts.from);
  }
  return { ...(merged as unknown as AccountFacts), from: [...new Set(from)] };
}
