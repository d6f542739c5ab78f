/**
 * Who may read what (config `access`), and cases that are closed to a named few. A rule speaks of commands, accounts and channels;
 * every rule that matches must be met. What is not met for some accounts only is taken out of the question, and said.
 */
import { z } from 'zod';
import type { Case } from '../contracts/store.ts';
import { globMatch } from './glob.ts';
import { type GroupMembers, isOf } from './people.ts';
import { Crowd } from './slack-ids.ts';

export const AccessRule = z.strictObject({
  /** Names of commands, `*` for any characters. Left out: all. */
  commands: z.array(z.string().trim().min(1)).min(1).optional(),
  /** The rule is about these accounts only. Left out: about everything that the commands tell. */
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'))
    .min(1)
    .optional(),
  /** Channels in which it is told; ids (C...). Left out: in all. */
  channels: z
    .array(
      z
        .string()
        .trim()
        .regex(/^[CGD][A-Z0-9]{2,}$/, 'is not a channel id (C...)'),
    )
    .min(1)
    .optional(),
  /** Who may. Left out: whoever may use Firebreak. */
  allow: Crowd.optional(),
});
export type AccessRule = z.output<typeof AccessRule>;

export interface Asking {
  readonly command: string;
  readonly userId: string;
  readonly channel: string;
  /** Accounts asked for; undefined: all that can be read. */
  readonly accounts: readonly string[] | undefined;
}

export type Access =
  | { readonly refused: string }
  /** Accounts that are left out of the answer. */
  | { readonly without: readonly string[] };

export function accessOf(rules: readonly AccessRule[], asking: Asking, groups: GroupMembers): Access {
  const unmet = rules.filter((rule) => speaksOf(rule, asking.command) && !isMet(rule, asking, groups));
  const whole = unmet.find(({ accounts }) => accounts === undefined);
  if (whole !== undefined) {
    const { channels = [] } = whole;
    const elsewhere = channels.length > 0 && !channels.includes(asking.channel);
    return {
      refused: elsewhere ? 'the config answers this in other channels only' : 'the config lets only others ask this',
    };
  }
  const without = [...new Set(unmet.flatMap(({ accounts }) => accounts ?? []))].sort();
  const closed = asking.accounts?.find((account) => without.includes(account));
  if (closed !== undefined) return { refused: `the config closes account ${closed} to you, or to this channel` };
  return { without };
}

function speaksOf({ commands }: AccessRule, command: string): boolean {
  return commands === undefined || commands.some((pattern) => globMatch(pattern, command));
}

function isMet({ channels, allow }: AccessRule, { userId, channel }: Asking, groups: GroupMembers): boolean {
  if (channels !== undefined && !channels.includes(channel)) return false;
  return allow === undefined || isOf(userId, allow, groups);
}

/** Groups that the rules name. */
export function groupsNamed(rules: readonly AccessRule[]): readonly string[] {
  return [...new Set(rules.flatMap(({ allow }) => allow?.groups ?? []))];
}

/** Why a case is closed to somebody, or undefined. */
export function closedTo(found: Pick<Case, 'id' | 'restrictedTo'> | undefined, userId: string): string | undefined {
  const { restrictedTo = [] } = found ?? {};
  if (restrictedTo.length === 0 || restrictedTo.includes(userId)) return undefined;
  return `case ${found?.id} is closed to a named few`;
}
