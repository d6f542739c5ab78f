/** Names, OUs, tags and contacts of accounts from AWS Organizations (DOMAIN.md 6.4). Kept for an hour; never throws. */
import { GetAlternateContactCommand } from '@aws-sdk/client-account';
import {
  DescribeOrganizationalUnitCommand,
  ListAccountsCommand,
  ListParentsCommand,
  ListTagsForResourceCommand,
  type Account as OrganizationAccount,
} from '@aws-sdk/client-organizations';
import type { AwsReach, AwsReader } from '../contracts/aws.ts';
import { UpstreamError, UserError } from '../contracts/errors.ts';
import type { AccountLook } from '../contracts/surroundings.ts';
import { awsErrorFacts, isAwsError } from '../domain/aws-errors.ts';
import { factsOfRow } from '../domain/inventory-sources.ts';
import { everyPage } from '../domain/pages.ts';

const keptMs = 60 * 60_000;
/** After a failure the next question waits this long, so that a missing right costs one call a minute. */
const failedMs = 60_000;
const source = 'AWS Organizations';

interface Kept<T> {
  readonly until: number;
  readonly value: Promise<T>;
}

/**
 * `askedFrom` is the management account or a delegated administrator; undefined: the account of our own credentials.
 */
export function openOrganization(
  reach: AwsReach,
  askedFrom: string | undefined,
): (accountId: string) => Promise<AccountLook> {
  let list: Kept<ReadonlyMap<string, OrganizationAccount> | string> | undefined;
  const looks = new Map<string, Kept<AccountLook>>();

  async function reader(): Promise<AwsReader> {
    const id = askedFrom ?? /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec((await reach.self())[0] ?? '')?.[1];
    if (id === undefined) throw new UserError('AWS does not say which account we are');
    return reach.reader(id);
  }

  async function accounts(): Promise<ReadonlyMap<string, OrganizationAccount> | string> {
    if (list !== undefined && Date.now() < list.until) return list.value;
    const value = whyOr('organizations:ListAccounts', async () => allAccounts(await reader()));
    list = { until: Date.now() + keptMs, value };
    if (typeof (await value) === 'string') list = { until: Date.now() + failedMs, value };
    return value;
  }

  async function look(accountId: string): Promise<AccountLook> {
    const known = await accounts();
    if (typeof known === 'string') return { account: undefined, missing: [known] };
    const account = known.get(accountId);
    if (account === undefined) return { account: undefined, missing: [] };
    const from = await reader();
    const [ou, tags, contact] = await Promise.all([
      whyOr('organizations:ListParents', async () => ({ path: await ouPath(from, accountId) })),
      whyOr('organizations:ListTagsForResource', () => tagsOf(from, accountId)),
      whyOr('account:GetAlternateContact', async () => ({ email: await securityContact(from, accountId) })),
    ]);
    const missing = [ou, tags, contact].filter((one) => typeof one === 'string');
    const row = {
      id: accountId,
      name: account.Name,
      ...(typeof ou === 'string' ? {} : { ou: ou.path }),
      ...(typeof tags === 'string' ? {} : { tags }),
      ...(typeof contact === 'string' || contact.email === undefined ? {} : { contacts: contact.email }),
    };
    const facts = factsOfRow(row, source);
    return { account: facts && typeof tags !== 'string' ? { ...facts, tags } : facts, missing };
  }

  return async (accountId) => {
    const kept = looks.get(accountId);
    if (kept !== undefined && Date.now() < kept.until) return kept.value;
    const value = look(accountId);
    looks.set(accountId, { until: Date.now() + keptMs, value });
    const told = await value;
    if (told.missing.length > 0) looks.set(accountId, { until: Date.now() + failedMs, value });
    return told;
  };
}

/** The answer, or why there is none, in a sentence. */
async function whyOr<T>(action: string, ask: () => Promise<T>): Promise<T | string> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    const code = error instanceof UpstreamError ? error.code : awsErrorFacts(error).code;
    return /AccessDenied|NotAuthorized/i.test(code)
      ? `AWS Organizations: no permission (${action})`
      : `AWS Organizations: ${action} failed (${code})`;
  }
}

async function allAccounts({ organizations }: AwsReader): Promise<ReadonlyMap<string, OrganizationAccount>> {
  const accounts = await everyPage(async (NextToken) => {
    const page = await organizations.send(new ListAccountsCommand({ NextToken }));
    return { items: page.Accounts, next: page.NextToken };
  });
  return new Map(accounts.map((account) => [account.Id ?? '', account]));
}

/** `Root/Workloads/Prod`; "Root" where it stands right under it. */
async function ouPath({ organizations }: AwsReader, accountId: string): Promise<string> {
  const names: string[] = [];
  let child = accountId;
  // An organisation has at most five levels of OUs.
  for (let level = 0; level < 6; level += 1) {
    const parent = (await organizations.send(new ListParentsCommand({ ChildId: child }))).Parents?.[0];
    if (parent?.Id === undefined || parent.Type === 'ROOT') break;
    const unit = await organizations.send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: parent.Id }));
    names.unshift(unit.OrganizationalUnit?.Name ?? parent.Id);
    child = parent.Id;
  }
  return ['Root', ...names].join('/');
}

async function tagsOf({ organizations }: AwsReader, accountId: string): Promise<Readonly<Record<string, string>>> {
  const tags = await everyPage(async (NextToken) => {
    const page = await organizations.send(new ListTagsForResourceCommand({ ResourceId: accountId, NextToken }));
    return { items: page.Tags, next: page.NextToken };
  });
  return Object.fromEntries(tags.flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])));
}

/** The security contact's address; undefined where none is set. */
async function securityContact(from: AwsReader, accountId: string): Promise<string | undefined> {
  try {
    // The caller's own account is asked for by leaving its id out.
    const own = accountId === from.accountId ? {} : { AccountId: accountId };
    const answer = await from.account.send(
      new GetAlternateContactCommand({ ...own, AlternateContactType: 'SECURITY' }),
    );
    return answer.AlternateContact?.EmailAddress;
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}
