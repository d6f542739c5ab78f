/** Reads the policies of a user or role, with their documents. What cannot be read is in the list without statements. */
import {
  GetGroupPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  ListAttachedGroupPoliciesCommand,
  ListAttachedRolePoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupPoliciesCommand,
  ListRolePoliciesCommand,
  ListUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import type { AwsReader } from '#src/contracts/aws.ts';
import type { Asking } from '#src/domain/dossier/gaps.ts';
import { parseStatements, type Statement } from '#src/domain/dossier/policy.ts';
import type { NamedPolicy } from '#src/domain/dossier/rights.ts';
import { everyPage, iamNext } from '#src/domain/pages.ts';

export interface Look {
  readonly reader: AwsReader;
  readonly asking: Asking;
  readonly signal: AbortSignal;
}

/** Reads all pages of an IAM list. */
export async function allPages<
  Page extends { readonly IsTruncated?: boolean | undefined; readonly Marker?: string | undefined },
  Item,
>(
  next: (marker: string | undefined) => Promise<Page>,
  items: (page: Page) => readonly Item[] | undefined,
): Promise<readonly Item[]> {
  return everyPage(async (marker) => {
    const page = await next(marker);
    return { items: items(page), next: iamNext(page) };
  });
}

type Attached = { readonly PolicyName?: string | undefined; readonly PolicyArn?: string | undefined };

/** Policies of a user, without those of its groups. */
export async function userPolicies(name: string, look: Look): Promise<readonly NamedPolicy[]> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const options = { abortSignal: signal };
  const [attached, inline] = await Promise.all([
    asking.ask('attached policies', 'iam:ListAttachedUserPolicies', () =>
      allPages(
        (Marker) => iam.send(new ListAttachedUserPoliciesCommand({ UserName: name, Marker }), options),
        (page) => page.AttachedPolicies,
      ),
    ),
    asking.ask('inline policies', 'iam:ListUserPolicies', () =>
      allPages(
        (Marker) => iam.send(new ListUserPoliciesCommand({ UserName: name, Marker }), options),
        (page) => page.PolicyNames,
      ),
    ),
  ]);
  return together('itself', attached, inline, look, (policy) =>
    asking.ask(
      `policy ${policy}`,
      'iam:GetUserPolicy',
      async () =>
        (await iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName: policy }), options)).PolicyDocument,
    ),
  );
}

export async function groupPolicies(group: string, look: Look): Promise<readonly NamedPolicy[]> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const options = { abortSignal: signal };
  const [attached, inline] = await Promise.all([
    asking.ask(`policies of group ${group}`, 'iam:ListAttachedGroupPolicies', () =>
      allPages(
        (Marker) => iam.send(new ListAttachedGroupPoliciesCommand({ GroupName: group, Marker }), options),
        (page) => page.AttachedPolicies,
      ),
    ),
    asking.ask(`inline policies of group ${group}`, 'iam:ListGroupPolicies', () =>
      allPages(
        (Marker) => iam.send(new ListGroupPoliciesCommand({ GroupName: group, Marker }), options),
        (page) => page.PolicyNames,
      ),
    ),
  ]);
  return together(`group ${group}`, attached, inline, look, (policy) =>
    asking.ask(
      `policy ${policy} of group ${group}`,
      'iam:GetGroupPolicy',
      async () =>
        (await iam.send(new GetGroupPolicyCommand({ GroupName: group, PolicyName: policy }), options)).PolicyDocument,
    ),
  );
}

export async function rolePolicies(name: string, look: Look): Promise<readonly NamedPolicy[]> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const options = { abortSignal: signal };
  const [attached, inline] = await Promise.all([
    asking.ask('attached policies', 'iam:ListAttachedRolePolicies', () =>
      allPages(
        (Marker) => iam.send(new ListAttachedRolePoliciesCommand({ RoleName: name, Marker }), options),
        (page) => page.AttachedPolicies,
      ),
    ),
    asking.ask('inline policies', 'iam:ListRolePolicies', () =>
      allPages(
        (Marker) => iam.send(new ListRolePoliciesCommand({ RoleName: name, Marker }), options),
        (page) => page.PolicyNames,
      ),
    ),
  ]);
  return together('itself', attached, inline, look, (policy) =>
    asking.ask(
      `policy ${policy}`,
      'iam:GetRolePolicy',
      async () =>
        (await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: policy }), options)).PolicyDocument,
    ),
  );
}

/** The default version of a managed policy. Undefined where it cannot be read. */
export async function managedStatements(
  arn: string,
  name: string,
  { reader: { iam }, asking, signal }: Look,
): Promise<readonly Statement[] | undefined> {
  const options = { abortSignal: signal };
  const text = await asking.ask(`policy ${name}`, 'iam:GetPolicy, iam:GetPolicyVersion', async () => {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }), options);
    const version = await iam.send(
      new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: Policy?.DefaultVersionId ?? 'v1' }),
      options,
    );
    return version.PolicyVersion?.Document;
  });
  return text ? parseStatements(text) : undefined;
}

async function together(
  via: string,
  attached: readonly Attached[] | null | undefined,
  inline: readonly string[] | null | undefined,
  look: Look,
  documentOf: (policy: string) => Promise<string | null | undefined>,
): Promise<readonly NamedPolicy[]> {
  const managed = (attached ?? []).map(
    async ({ PolicyArn: arn = '', PolicyName: name = arn }): Promise<NamedPolicy> => ({
      name,
      arn,
      via,
      statements: await managedStatements(arn, name, look),
    }),
  );
  const own = (inline ?? []).map(async (name): Promise<NamedPolicy> => {
    const text = await documentOf(name);
    return { name, via, statements: text ? parseStatements(text) : undefined };
  });
  // A list that could not be read stands in as a policy that nobody has read: what it allows is not known.
  const unread = [attached === undefined && 'the attached ones', inline === undefined && 'the inline ones'].flatMap(
    (name) => (name === false ? [] : [{ name: `${name} of ${via}`, via, statements: undefined }]),
  );
  return [...(await Promise.all([...managed, ...own])), ...unread];
}
