/** ARNs of which calls may write less than all: AWS adds a part to the name that was chosen, and takes the name alone as well. */

const added =
  /^(arn:[^:]+:(?:secretsmanager:[^:]*:[^:]*:secret:.+(?=-[A-Za-z0-9]{6}$)|cloudformation:[^:]*:[^:]*:stack\/[^/]+(?=\/[^/]+$)))/;
const inside = /^(arn:[^:]+:autoscaling:[^:]*:[^:]*:)(?:autoScalingGroup|launchConfiguration):[^:]+:(?=\w+Name\/)/;

/**
 * The ARN with the name alone: a secret's without its six characters, a stack's and an Auto Scaling group's without their unique id.
 * Undefined where nothing is added. A name may itself end like an addition, so that two ARNs with one short form may be two things.
 */
export function shortArn(arn: string): string | undefined {
  const cut = added.exec(arn)?.[1];
  if (cut !== undefined) return cut;
  return inside.test(arn) ? arn.replace(inside, '$1') : undefined;
}

/** What ARNs of one name have in common: the short form, whole ARNs and short ones alike. Undefined for things without one. */
export function nameArn(arn: string): string | undefined {
  return /^arn:[^:]+:(secretsmanager|cloudformation|autoscaling):/.test(arn) ? (shortArn(arn) ?? arn) : undefined;
}

/** True where one is the other's short form, or they are the same. */
export function isSameArn(a: string, b: string): boolean {
  return a === b || shortArn(a) === b || shortArn(b) === a;
}
