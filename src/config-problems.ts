/** What is wrong with the config, in words that name the key: the schema's own issues, and names in rules that mean nothing. */
import type { z } from 'zod';
import type { ConfigFile } from './config-file.ts';
import { globMatch } from './domain/glob.ts';

type Issue = z.core.$ZodIssue;

/** One sentence per problem, as `<where>: <key>: <what>`. */
export function problemsIn(where: string, error: z.ZodError): string[] {
  return [...new Set(error.issues.flatMap((issue) => said(issue, [])))].map((words) => `${where}: ${words}`);
}

function said(issue: Issue, outer: readonly PropertyKey[]): string[] {
  const path = [...outer, ...issue.path];
  // A schema that says in its own words what it wants says more than its parts.
  const isBare = issue.message === 'Invalid input';
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && isBare) return unionWords(issue.errors, path);
  const words = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const missing = issue.code === 'invalid_type' && words.endsWith('received undefined');
  return [atKey(path, missing ? 'is missing' : words)];
}

/** Of the ways in which a value may be written, the one that was meant tells more than that none fits. */
function unionWords(ways: readonly (readonly Issue[])[], path: readonly PropertyKey[]): string[] {
  const isOtherKind = ({ path: at, code }: Issue) =>
    at.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
  const meant = ways.filter((issues) => !issues.some(isOtherKind));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only.flatMap((issue) => said(issue, path));
  const all = (meant.length === 0 ? ways : meant).flatMap((issues) => issues.flatMap((issue) => said(issue, [])));
  return [atKey(path, [...new Set(all)].join('; or: '))];
}

function atKey(path: readonly PropertyKey[], words: string): string {
  return path.length === 0 ? words : `${path.map(String).join('.')}: ${words}`;
}

interface Names {
  readonly actions: readonly { readonly name: string }[];
  readonly commands: readonly { readonly name: string }[];
  readonly investigations: readonly { readonly name: string }[];
}

/**
 * Names in rules that no action or command has: such a rule forbids, limits and asks for nothing, though it was written to.
 * `Names` are the lists of this version.
 */
export function unknownNames(config: Pick<ConfigFile, 'approvers' | 'policies' | 'access'>, names: Names): string[] {
  const asked = [...names.commands, ...names.investigations];
  const unknown = (key: string, patterns: readonly string[] = [], known: Names['actions'], kind: string) =>
    patterns
      .filter((pattern) => !known.some(({ name }) => globMatch(pattern, name)))
      .map((pattern) => `${key}: there is no ${kind} "${pattern}", so the rule would hold for nothing`);
  return [
    ...unknown('approvers.stepUp', config.approvers.stepUp, names.actions, 'action'),
    ...config.policies.flatMap(({ actions }, index) =>
      unknown(`policies.${index}.actions`, actions, names.actions, 'action'),
    ),
    ...config.access.flatMap(({ commands }, index) => unknown(`access.${index}.commands`, commands, asked, 'command')),
  ];
}
