/** What IAM's policy simulator says of a user or role: the effect of a change, before its target calls again (DOMAIN.md 6.3). */
import { type PolicyEvaluationDecisionType, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { ActionContext } from '#src/contracts/action.ts';
import { UpstreamError } from '#src/contracts/errors.ts';

const decisions: Readonly<Record<PolicyEvaluationDecisionType, string>> = {
  allowed: 'STILL ALLOWED',
  explicitDeny: 'denied explicitly',
  implicitDeny: 'not allowed by anything',
};

/** One sentence, called a simulation: it knows no session policies and no resource policies. Throws what AWS throws. */
export async function simulated(
  principalArn: string,
  actions: readonly string[],
  { aws, signal }: Pick<ActionContext, 'aws' | 'signal'>,
): Promise<string> {
  const input = { PolicySourceArn: principalArn, ActionNames: [...actions] };
  const { EvaluationResults = [] } = await aws.iam.send(new SimulatePrincipalPolicyCommand(input), {
    abortSignal: signal,
  });
  if (EvaluationResults.length === 0) {
    throw new UpstreamError('aws', 'NotAws', 'the answer of the simulator was empty', { retryable: true });
  }
  const said = EvaluationResults.map(
    ({ EvalActionName, EvalDecision }) => `${EvalActionName}: ${decisions[EvalDecision ?? 'allowed']}`,
  );
  return `By IAM's simulation, which is no proof: ${said.join(', ')}.`;
}
