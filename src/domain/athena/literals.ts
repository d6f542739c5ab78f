/**
 * The only place where a value becomes part of Athena's SQL. Values that a person or a log chose go as execution parameters,
 * one `?` each; what AWS or the config vouches for (accounts, Regions, days) is checked by its form and quoted.
 */
import { UserError } from '../../contracts/errors.ts';

/** StartQueryExecution takes at most 1,024 characters per parameter. */
const longest = 1000;

/** A string literal: single quotes doubled, which is the only escape that Athena knows. Throws UserError for what cannot be one. */
export function literal(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be refused
  if (text.length > longest || /[\u0000-\u001f\u007f]/.test(text) || !text.isWellFormed())
    throw new UserError('That text cannot be asked of Athena.', 'It is too long, or holds control characters.');
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of checked literals for IN; `form` says what each must look like. Throws UserError where one does not. */
function listOf(values: readonly string[], form: RegExp, what: string): string {
  if (values.length === 0) throw new UserError(`Athena needs at least one ${what}.`);
  for (const value of values) if (!form.test(value)) throw new UserError(`"${value.slice(0, 60)}" is no ${what}.`);
  return values.map((value) => `'${value}'`).join(', ');
}

export function accountList(accounts: readonly string[]): string {
  return listOf(accounts, /^\d{12}$/, 'account id');
}

export function regionList(regions: readonly string[]): string {
  return listOf(regions, /^[a-z]{2,}(-[a-z]+)+-\d$/, 'Region');
}

export function vpcList(vpcs: readonly string[]): string {
  return listOf(vpcs, /^vpc-[0-9a-f]{8,32}$/, 'VPC id');
}

/** `2026/11/20` of an instant, UTC: how the partitions are named. */
export function dayOf(at: string): string {
  return instant(at).slice(0, 10).replaceAll('-', '/');
}

/** `2026-11-20T22:00:00Z`: how CloudTrail writes a time; compared as text. */
export function instant(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) throw new UserError(`"${at.slice(0, 60)}" is no time.`);
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Collects parameters in the order of their `?`. */
export class Parameters {
  readonly list: string[] = [];

  /** The `?` of one more value. */
  add(value: string): string {
    this.list.push(literal(value));
    return '?';
  }

  /** `?, ?, ?` */
  all(values: readonly string[]): string {
    if (values.length === 0) return 'NULL';
    return values.map((value) => this.add(value)).join(', ');
  }
}
