/** What a folder of logs holds at all, against what was asked for: where it has no logs, "nothing found" says nothing. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { layoutOf } from './lake/layout.ts';

export interface Asked {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

const dayMs = 86_400_000;

export class Held {
  /** By account: the days, counted from the epoch, of which there is a line or a file. */
  readonly #days = new Map<string, Set<number>>();
  readonly #regions = new Set<string>();
  #lastAccount = '';
  #lastDay = '';
  #first = '';
  #last = '';

  /** Any CloudTrail record of the folder, whatever was asked for. */
  saw({ eventTime, awsRegion, recipientAccountId, userIdentity }: CloudTrailRecord): void {
    this.sawLine(eventTime, recipientAccountId ?? userIdentity.accountId ?? '', awsRegion);
  }

  /** A line of any log. @param at ISO 8601 UTC. Account and Region are "" where it names none */
  sawLine(at: string, account: string, region: string): void {
    if (this.#first === '' || at < this.#first) this.#first = at;
    if (at > this.#last) this.#last = at;
    this.#regions.add(region);
    const day = at.slice(0, 10);
    // Lines of one file are mostly of one account and day.
    if (account === this.#lastAccount && day === this.#lastDay) return;
    [this.#lastAccount, this.#lastDay] = [account, day];
    this.#note(account, day);
  }

  /** A file of a delivery tree: its path tells of an account, a Region and a day, also where nobody did anything. */
  sawPath(path: string): void {
    const layout = layoutOf(path);
    if (layout === undefined) return;
    this.#regions.add(layout.region);
    this.#note(layout.account, layout.day);
    const [first, last] = [`${layout.day}T00:00:00Z`, `${layout.day}T23:59:59Z`];
    if (this.#first === '' || first < this.#first) this.#first = first;
    if (last > this.#last) this.#last = last;
  }

  #note(account: string, day: string): void {
    const number = Date.parse(`${day}T00:00:00Z`) / dayMs;
    if (!Number.isInteger(number)) return;
    const days = this.#days.get(account);
    if (days) days.add(number);
    else this.#days.set(account, new Set([number]));
  }

  /** Sorted. */
  get accounts(): readonly string[] {
    return [...this.#days.keys()].filter((account) => account !== '').sort();
  }

  get regions(): readonly string[] {
    return [...this.#regions].filter((region) => region !== '').sort();
  }

  /** ISO 8601 UTC; "" where there is nothing. */
  get first(): string {
    return this.#first;
  }

  get last(): string {
    return this.#last;
  }

  /**
   * What of the question there are no logs of, in words; nothing where there are none at all. Logs do not tell at which second they begin and end, so that a
   * day is allowed at both ends of a window that they reach into.
   */
  lacks(asked: Asked): readonly string[] {
    if (this.#first === '') return [];
    // Lines that name no account or Region may be of any.
    const accounts = this.#days.has('') ? [] : (asked.accounts?.filter((account) => !this.#days.has(account)) ?? []);
    const regions = this.#regions.has('') ? [] : (asked.regions?.filter((region) => !this.#regions.has(region)) ?? []);
    return [
      ...accounts.map((account) => `account ${account}: there are no logs of it here`),
      ...regions.map((region) => `Region ${region}: there are no logs of it here`),
      ...this.#timeLacks(asked, accounts),
    ];
  }

  /**
   * Days between others of the same account of which there is nothing, within the window, in words: of logs that are written all the time, they were
   * not brought along.
   */
  holes({ window, accounts }: Asked): readonly string[] {
    const from = window.from === undefined ? Number.NEGATIVE_INFINITY : Math.floor(Date.parse(window.from) / dayMs);
    const to = window.to === undefined ? Number.POSITIVE_INFINITY : Math.ceil(Date.parse(window.to) / dayMs);
    return [...this.#days].flatMap(([account, days]) => {
      if (account !== '' && accounts !== undefined && !accounts.includes(account)) return [];
      const sorted = [...days].sort((a, b) => a - b);
      return sorted.flatMap((day, at) => {
        const [first, next] = [Math.max(from, (sorted[at - 1] ?? day) + 1), Math.min(to, day)];
        if (first >= next) return [];
        const iso = (number: number) => `${new Date(number * dayMs).toISOString().slice(0, 10)}T00:00:00Z`;
        return [
          `${account === '' ? '' : `account ${account}: `}${iso(first)} to ${iso(next)}: there are no logs of it here`,
        ];
      });
    });
  }

  #timeLacks({ window, accounts }: Asked, unknown: readonly string[]): readonly string[] {
    const from = window.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(window.from);
    const to = window.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(window.to);
    const [first, last] = [Date.parse(this.#first), Date.parse(this.#last)];
    const span = `the logs here are from ${this.#first} to ${this.#last}`;
    // Without a line in it no slack at its ends makes it looked at.
    if (to <= first || from > last) return [`the time asked for: ${span}`];
    const known = (this.#days.has('') ? undefined : accounts)?.filter((account) => !unknown.includes(account));
    const isEmpty = (account: string) => !this.#hasDay(account, from - dayMs, to + dayMs);
    const all = [...this.#days.keys()];
    const empty = known?.filter(isEmpty) ?? (all.every(isEmpty) ? all : []);
    return [
      ...(window.from !== undefined && from < first - dayMs ? [`${window.from} to ${this.#first}: ${span}`] : []),
      ...(window.to !== undefined && to > last + dayMs ? [`${this.#last} to ${window.to}: ${span}`] : []),
      ...empty.map((account) => `account ${account || 'unknown'}: there are no logs of that time here`),
    ];
  }

  #hasDay(account: string, from: number, to: number): boolean {
    for (const day of this.#days.get(account) ?? []) if (day * dayMs < to && (day + 1) * dayMs > from) return true;
    return false;
  }
}
