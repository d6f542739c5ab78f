/** The part of `firebreak doctor` that compares the roles of an account with what Firebreak's own lists ask for. Reads only. */
import { actions } from '#actions';
import { investigations } from '#investigations';
import { mayBecome, type RoleFacts, roleFacts } from './aws/role-facts.ts';
import type { Config } from './config.ts';
import type { AwsReader } from './contracts/aws.ts';
import { UserError } from './contracts/errors.ts';
import type { Account } from './domain/inventory.ts';
import { parseArn } from './domain/principal.ts';
import { compareRights, someOf, trustProblems } from './domain/role-check.ts';
import {
  auditRights,
  auditTrust,
  organizationReads,
  type Policy,
  policyOf,
  responderRights,
  responderTrust,
  sortedNames,
} from './domain/role-rights.ts';

export interface Look {
  readonly what: string;
  /** What holds; throws UserError with what does not. */
  look(): Promise<string>;
}

interface Where {
  readonly account: Account;
  readonly aws: AwsReader;
  readonly config: Pick<Config, 'awsRegion' | 'managementAccount' | 'inventory' | 'athena'>;
  /** Names of this process's own identity. */
  readonly self: readonly string[];
  /** The account that it is in. */
  readonly hub: string;
}

/** The checks of one account, in order. */
export function roleLooks(where: Where): readonly Look[] {
  const { account } = where;
  const looks: Look[] = [];
  if (account.auditRole !== undefined) looks.push(...auditLooks(account.auditRole, where));
  if (account.responderRole !== undefined) looks.push(...responderLooks(account.responderRole, where));
  return looks;
}

function auditLooks(roleArn: string, where: Where): readonly Look[] {
  const { account, config, aws } = where;
  const wanted = auditTrust('', account.externalId ?? '');
  const isManagement = config.inventory.organizations === true && config.managementAccount === account.id;
  const rights = auditRights(investigations, actions);
  const more = isManagement ? [...organizationReads] : [];
  const all = policyOf(...rights.Statement.map((one) => ({ ...one, Action: sortedNames([...one.Action, ...more]) })));
  // The rights for Athena name the operator's own tables and buckets, which the config does not know.
  const isAthena = config.athena?.accountId === account.id;
  const read = once(() => roleFacts(roleArn, aws));
  return [
    { what: 'audit role', look: async () => placed(roleArn, await read(), account) },
    { what: 'audit rights', look: async () => rightsWords(all, await read(), isAthena) },
    { what: 'audit trust', look: async () => trustWords(wanted, await read(), 'self', where) },
  ];
}

function responderLooks(roleArn: string, where: Where): readonly Look[] {
  const { account, config, aws } = where;
  const wanted = responderTrust('', account.externalId ?? '');
  const rights = responderRights(actions, account.id, aws.partition);
  const read = once(() => roleFacts(roleArn, aws));
  return [
    { what: 'responder role', look: async () => placed(roleArn, await read(), account) },
    { what: 'responder rights', look: async () => rightsWords(rights, await read(), false) },
    { what: 'responder trust', look: async () => trustWords(wanted, await read(), 'other', where) },
    {
      what: 'responder role is kept from the worker',
      async look() {
        if (!(await mayBecome(roleArn, account.externalId, config.awsRegion))) return 'AWS refuses it to who asks here';
        throw new UserError(
          `who asks here can become ${roleArn}: give worker and executor identities of their own. This try is in CloudTrail as ir-doctor`,
        );
      },
    },
  ];
}

/** Both checks and more ask for the same role: it is read once. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}

function placed(roleArn: string, facts: RoleFacts, account: Account): string {
  if (facts.arn !== roleArn) throw new UserError(`the config says ${roleArn}, and IAM knows it as ${facts.arn}`);
  if (!parseArn(roleArn)?.resource.startsWith('role/ir/')) {
    throw new UserError(`${roleArn} is not under the path /ir/, which protects it from containment and by policy`);
  }
  if (account.externalId === undefined) throw new UserError(`accounts[].externalId is not set for ${account.id}`);
  if (facts.boundary !== undefined) {
    throw new UserError(`${roleArn} has the permissions boundary ${facts.boundary}, which was not compared`);
  }
  return roleArn;
}

/** `besides`: other rights of Athena, Glue and S3 are right here. */
function rightsWords(wanted: Policy, { policies }: RoleFacts, besides: boolean): string {
  const found = compareRights(wanted, policies);
  const athena = /^(athena|glue|s3|kms:Decrypt)/;
  const beyond = besides ? found.beyond.filter((name) => !athena.test(name)) : found.beyond;
  const wrong = [
    ...(found.missing.length === 0 ? [] : [`missing: ${someOf(found.missing)}`]),
    ...(beyond.length === 0 ? [] : [`beyond what is asked for: ${someOf(beyond)}`]),
  ];
  if (wrong.length > 0) throw new UserError(wrong.join('; '));
  const denies = found.denies === 0 ? '' : `, and ${found.denies} statements that deny, which were not compared`;
  const rest = besides ? '; those for Athena were not compared' : '';
  return `exactly what is asked for${denies}${rest}`;
}

function trustWords(wanted: Policy, { trust }: RoleFacts, trusts: 'self' | 'other', { hub, self }: Where): string {
  const problems = trustProblems(trust, { wanted, hub, self, trusts });
  if (problems.length > 0) throw new UserError(problems.join('; '));
  return trusts === 'self'
    ? 'this identity, with the external id'
    : 'one identity of the hub, with external id, source identity and tags';
}
