/** Targets that are never touched (safety rule 5). Asked when a plan is made and again when it is run. */

import { globMatch } from './glob.ts';
import { nameKeyOfArn } from './principal.ts';

/** Names of IAM are one per account, whatever their path and case. */
function isSamePrincipal(a: string, b: string): boolean {
  const key = nameKeyOfArn(a);
  return key !== undefined && key === nameKeyOfArn(b);
}

/**
 * Stands for a user whose path could not be read. IAM allows no path with two slashes and nothing between them, so that nobody can
 * make a user who looks like this.
 */
export function userOfUnknownPath(partition: string, accountId: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:user//${name}`;
}

export function hasUnknownPath(arn: string): boolean {
  return /^arn:[^:]*:iam::[^:]*:user\/\/[^/]+$/.test(arn);
}

/** Ours and AWS's own, in every partition. `*` stands for any characters. */
const always: readonly (readonly [string, string])[] = [
  ['arn:*:iam::*:role/aws-service-role/*', 'a service-linked role: only its service can change it'],
  ['arn:*:iam::*:role/ir/*', 'a role of the incident-response installation'],
];

/**
 * Why one of the names is protected, or undefined. `own` are the roles of the config and the process's own identity. A user of
 * unknown path could have any: it is protected as soon as the list names users at all.
 */
export function protectedBecause(
  names: readonly string[],
  config: { readonly patterns: readonly string[]; readonly own: readonly string[] },
): string | undefined {
  for (const name of names) {
    if (config.own.some((own) => own === name || isSamePrincipal(own, name)))
      return `${name} is what Firebreak itself uses`;
    const byRule = always.find(([pattern]) => globMatch(pattern, name));
    if (byRule !== undefined) return `${name} is ${byRule[1]}`;
    const byPath = hasUnknownPath(name)
      ? config.patterns.find((candidate) => candidate.toLowerCase().includes(':user/'))
      : undefined;
    if (byPath !== undefined)
      return `the path of ${name} could not be read (iam:GetUser), and ${byPath} is on the protected list`;
    const pattern = config.patterns.find((candidate) => globMatch(candidate, name));
    if (pattern !== undefined) return `${name} is on the protected list of the config (${pattern})`;
  }
  return undefined;
}
