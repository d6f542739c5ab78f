/**
 * The account inventory of the config file (DOMAIN.md 6.4): what AWS cannot tell about an account. `AccountEntry` is the
 * schema of one `accounts[]` entry; the key names are part of the external contract (DESIGN.md 5).
 */
import { z } from 'zod';
import { parseArnStrict } from './arn.ts';

/** YAML reads an unquoted id as a number and drops its leading zeros; an account id always has 12 digits. */
const AccountId = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform((id) => (typeof id === 'number' ? String(id).padStart(12, '0') : id.trim()))
  .refine((id) => /^\d{12}$/.test(id), 'an account id has 12 digits');

const Word = z.string().trim().min(1).max(200);

export const AccountEntry = z
  .strictObject({
    id: AccountId,
    name: Word.optional(),
    /** prod, stage, dev, sandbox, or a word of your own; `channels.environments` refers to it. */
    environment: Word.optional(),
    owner: Word.optional(),
    /** What lies in it: PII, PCI, PHI, FIN, none, ... */
    dataClass: z.union([Word.transform((word) => [word]), z.array(Word)]).optional(),
    contacts: z.union([Word.transform((word) => [word]), z.array(Word)]).optional(),
    /** Tags of the account; `crownJewels.tags` refers to them. */
    tags: z.record(Word, z.string().max(256)).optional(),
    /** ISO 3166-1 alpha-2. */
    expectedCountries: z
      .array(
        z
          .string()
          .trim()
          .toUpperCase()
          .regex(/^[A-Z]{2}$/, 'two letters, as in DE'),
      )
      .optional(),
    /** Regions in which work is expected; `/ir triage` and `/ir readiness` name what runs elsewhere. */
    expectedRegions: z
      .array(
        z
          .string()
          .trim()
          .regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name'),
      )
      .optional(),
    /** Address ranges that the account's own people and workloads come from. */
    egress: z.array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])).optional(),
    auditRole: Word.optional(),
    responderRole: Word.optional(),
    externalId: Word.optional(),
    /** never: this account is never contained from here. approve1, approve2: how many approvers at least. */
    containment: z.enum(['never', 'approve1', 'approve2']).optional(),
  })
  .readonly();
export type Account = z.output<typeof AccountEntry>;

/** Undefined where the account is not in the inventory: shown as such, never made up. */
export function findAccount(accounts: readonly Account[], accountId: string): Account | undefined {
  return accounts.find(({ id }) => id === accountId);
}

/** Ids that are in the list more than once, for the config check. */
export function repeatedAccounts(accounts: readonly Account[]): readonly string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { id } of accounts) (seen.has(id) ? repeated : seen).add(id);
  return [...repeated];
}

/**
 * What is wrong with an account's roles, for the config check. A role of another account would be contained under this one's rules
 * (`containment`, policies, the management account), and one of another partition cannot be.
 */
export function roleProblems({ id, auditRole, responderRole }: Account): readonly string[] {
  const roles = Object.entries({ auditRole, responderRole }).filter((role) => role[1] !== undefined);
  const read = roles.map(([name, arn = '']) => ({ name, arn, parts: parseArnStrict(arn) }));
  const wrong = read.flatMap(({ name, arn, parts }) => {
    if (parts?.service !== 'iam' || !parts.resource.startsWith('role/'))
      return [`${name} ${arn} is not the ARN of a role`];
    return parts.accountId === id ? [] : [`${name} is a role of account ${parts.accountId}`];
  });
  if (wrong.length === 0 && auditRole !== undefined && auditRole === responderRole)
    return ['auditRole and responderRole are one role: what reads could write'];
  const partitions = new Set(read.flatMap(({ parts }) => parts?.partition ?? []));
  return partitions.size > 1 ? [...wrong, 'auditRole and responderRole are of two partitions'] : wrong;
}

/** `shop-prod (111122223333)`, or `account 111122223333, which is not in the inventory`. */
export function accountWords(accountId: string, account: Account | undefined): string {
  if (account === undefined) return `account ${accountId}, which is not in the inventory`;
  return account.name === undefined ? `account ${accountId}` : `${account.name} (${accountId})`;
}
