/** What is known beside the logs and AWS's own answers: the inventory, networks by name, lists of addresses. */
import type { AddressBook } from './address.ts';

/** One account as the inventory has it. `undefined` means that nobody said, never a guess. */
export interface AccountFacts {
  readonly id: string;
  readonly name?: string | undefined;
  /** prod, stage, dev, sandbox, or the operator's own word. */
  readonly environment?: string | undefined;
  readonly owner?: string | undefined;
  readonly dataClass?: readonly string[] | undefined;
  /** Channels, e-mail addresses or Slack user groups, as the source has them. */
  readonly contacts?: readonly string[] | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly expectedCountries?: readonly string[] | undefined;
  readonly egress?: readonly string[] | undefined;
  /** Path of organisational units, `Root/Workloads/Prod`. */
  readonly ou?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Where the facts come from: `config`, `accounts.csv`, `AWS Organizations`. */
  readonly from: readonly string[];
}

export interface AccountLook {
  readonly account: AccountFacts | undefined;
  /** Sources that could not be read, one sentence each. */
  readonly missing: readonly string[];
}

export interface AccountBook {
  /** What needs no asking: the config and the files. */
  known(): readonly AccountFacts[];
  /** Never throws: a source that fails is named in `missing`. */
  find(accountId: string): Promise<AccountLook>;
}

export interface Surroundings {
  readonly addresses: AddressBook;
  readonly accounts: AccountBook;
  /** Which of these resources a finding names; absent where the cases are not at hand (`--logs`). */
  noticed?(resourceIds: readonly string[]): Promise<readonly string[]>;
}
