/** Who may assume a role, from its trust policy. */
import { z } from 'zod';
import type { Statement } from './policy.ts';

export interface Trusted {
  readonly kind: 'anyone' | 'account' | 'identity' | 'service' | 'federation' | 'other';
  readonly id: string;
  /** Undefined where it is no account's. */
  readonly accountId?: string;
  /** Of another account than the role's own. */
  readonly foreign: boolean;
  /** The trust holds under conditions: their keys. */
  readonly conditions: readonly string[];
}

const Principals = z.union([
  z.string().transform((id) => ({ AWS: [id] }) as Readonly<Record<string, readonly string[]>>),
  z.record(z.string(), z.union([z.string().transform((id) => [id]), z.array(z.string())])),
]);

/** Every principal that an Allow names. A `NotPrincipal` trusts everybody else, and is told so. */
export function trustedBy(statements: readonly Statement[], accountId: string): readonly Trusted[] {
  return statements.flatMap((statement) => {
    if (statement.Effect !== 'Allow') return [];
    const conditions = Object.values(statement.Condition ?? {}).flatMap((keys) =>
      typeof keys === 'object' && keys !== null ? Object.keys(keys) : [],
    );
    const parsed = Principals.safeParse(statement.Principal);
    if (!parsed.success)
      return [
        { kind: 'anyone' as const, id: 'everybody but those that NotPrincipal names', foreign: true, conditions },
      ];
    return Object.entries(parsed.data).flatMap(([type, ids]) =>
      ids.map((id) => trustedOne(type, id, accountId, conditions)),
    );
  });
}

function trustedOne(type: string, id: string, own: string, conditions: readonly string[]): Trusted {
  if (id === '*') return { kind: 'anyone', id, foreign: true, conditions };
  if (type === 'Service') return { kind: 'service', id, foreign: false, conditions };
  if (type === 'Federated') return { kind: 'federation', id, foreign: false, conditions };
  const accountId = /^(\d{12})$/.exec(id)?.[1] ?? /^arn:[^:]+:(?:iam|sts)::(\d{12}):/.exec(id)?.[1];
  if (accountId === undefined) return { kind: 'other', id, foreign: false, conditions };
  const whole = /^\d{12}$|:root$/.test(id);
  return { kind: whole ? 'account' : 'identity', id, accountId, foreign: accountId !== own, conditions };
}

/** `anybody`, `all of account 777777777777 (another account)`, `service ec2.amazonaws.com`. */
export function trustWords(one: Trusted): string {
  const narrowed = one.conditions.length > 0 ? `, if ${one.conditions.slice(0, 3).join(', ')}` : '';
  const foreign = one.foreign && one.kind !== 'anyone' ? ' (another account)' : '';
  if (one.kind === 'anyone') return `${one.id === '*' ? 'ANYBODY' : one.id}${narrowed}`;
  if (one.kind === 'account') return `all of account ${one.accountId}${foreign}${narrowed}`;
  if (one.kind === 'service') return `service ${one.id}${narrowed}`;
  return `${one.kind === 'federation' ? 'people of ' : ''}${one.id}${foreign}${narrowed}`;
}
