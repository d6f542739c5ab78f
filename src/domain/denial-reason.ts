/** Why AWS refused a call: which sort of policy stood in the way, in AWS's own words. */
import { inert } from './inert.ts';
import { redactText } from './redaction.ts';

/**
 * The end of the message (IAM user guide, "Troubleshoot access denied error messages"); EC2 puts an encoded one behind it. What
 * stands before is names of the caller's choice.
 */
const told =
  /(?:with an explicit deny in (an?|the)|because no) ((?:identity-based|resource-based|service control|resource control|session|VPC endpoint|role trust) policy|permissions boundary)(?: allows the [\w-]+:\w+ action)?(?:: (arn:[\w:/+=,.@-]+?))?\.?(?:\s*Encoded authorization failure message: \S*)?$/;

/** `explicit deny in a service control policy`, with the policy's ARN where AWS tells it; "" where the message says nothing of policies. */
export function denialReason(errorMessage: string | undefined): string {
  const [, article, policy, arn] = told.exec(errorMessage?.trim() ?? '') ?? [];
  if (policy === undefined) return '';
  const reason = article === undefined ? `no ${policy} allows it` : `explicit deny in ${article} ${policy}`;
  return arn === undefined ? reason : `${reason}, ${arn}`;
}

/** What the message says of the failure: the reason of a denial; where no code tells, the message itself, to be shown. */
export function failureReason(errorCode: string | undefined, errorMessage: string | undefined): string {
  const reason = denialReason(errorMessage);
  return reason !== '' || errorCode !== undefined ? reason : inert(redactText(errorMessage ?? ''), 120);
}
