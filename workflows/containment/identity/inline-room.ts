/** Whether another inline policy fits on a user or role: AWS counts all of them together, white space left out (DOMAIN.md 5.3). */
import {
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  ListRolePoliciesCommand,
  ListUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import type { ActionContext } from '#src/contracts/action.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { policyText } from '#src/domain/policy-text.ts';
import type { PrincipalTarget } from './principal.ts';
import { allOf } from './user-credentials.ts';

const limit = { user: 2_048, role: 10_240 } as const;

export const roomReads = ['iam:ListRolePolicies', 'iam:ListUserPolicies'] as const;

/** How many characters are left, counting every inline policy but the one named. Throws what AWS throws. */
export async function roomFor(
  policyName: string,
  { kind, name }: PrincipalTarget,
  { aws, signal }: Pick<ActionContext, 'aws' | 'signal'>,
): Promise<number> {
  const options = { abortSignal: signal };
  const names = await allOf(async (more) => {
    const page =
      kind === 'user'
        ? await aws.iam.send(new ListUserPoliciesCommand({ UserName: name, ...more }), options)
        : await aws.iam.send(new ListRolePoliciesCommand({ RoleName: name, ...more }), options);
    return { ...page, items: page.PolicyNames };
  });
  let room: number = limit[kind];
  for (const PolicyName of names.filter((one) => one !== policyName)) {
    const { PolicyDocument } =
      kind === 'user'
        ? await aws.iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName }), options)
        : await aws.iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName }), options);
    // IAM always says what a policy holds; "could not look" is never "there is none".
    if (PolicyDocument === undefined) {
      throw new UpstreamError('aws', 'NotAws', "the answer was not IAM's", { retryable: true });
    }
    room -= policyText(PolicyDocument).replace(/\s/g, '').length;
  }
  return room;
}
