/** Which channel an alert goes to (config key `channels`). */
import type { Alert } from '../contracts/alert.ts';
import type { Account } from './inventory.ts';
import { severityWord } from './severity.ts';

/** The `channels` key of the config file. Names and ids of channels are both taken as they are. */
export interface Channels {
  readonly default: string;
  readonly critical?: string | undefined;
  readonly high?: string | undefined;
  readonly medium?: string | undefined;
  readonly low?: string | undefined;
  /** Where the evidence of a case goes, a private channel. */
  readonly evidence?: string | undefined;
  /** By account id. */
  readonly accounts?: Readonly<Record<string, string>> | undefined;
  /** By the `environment` word of the inventory, upper or lower case. */
  readonly environments?: Readonly<Record<string, string>> | undefined;
}

function entryOf(record: Readonly<Record<string, string>> | undefined, wanted: string): string | undefined {
  const key = wanted.toLowerCase();
  for (const [name, channel] of Object.entries(record ?? {})) if (name.toLowerCase() === key) return channel;
  return undefined;
}

/**
 * The most specific rule wins: the account's channel, then its environment's, then the severity's, then the default.
 * Accounts outside the inventory have no environment. Total: there is always a default.
 */
export function channelFor(input: {
  readonly alert: Pick<Alert, 'accountId' | 'severity'>;
  readonly account: Account | undefined;
  readonly channels: Channels;
}): string {
  const { alert, account, channels } = input;
  const environment = account?.environment;
  return (
    entryOf(channels.accounts, alert.accountId) ??
    (environment === undefined ? undefined : entryOf(channels.environments, environment)) ??
    channels[severityWord(alert.severity)] ??
    channels.default
  );
}
