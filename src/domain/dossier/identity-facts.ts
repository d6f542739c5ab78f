/** What IAM says of an identity. */
import type { Statement } from './policy.ts';
import type { NamedPolicy } from './rights.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface KeyFacts {
  readonly id: string;
  readonly status: string;
  readonly createdAt?: string;
  /** null: never used, as far as IAM knows; undefined: not known. */
  readonly lastUsed: { readonly at: string; readonly service: string; readonly region: string } | null | undefined;
}

export interface IdentityBase {
  readonly arn: string;
  readonly name: string;
  /** AIDA... or AROA...: stays with the identity where its name is made again. */
  readonly uniqueId: string;
  readonly createdAt?: string;
  readonly tags: readonly Tag[];
  readonly policies: readonly NamedPolicy[];
  /** ARN of the permissions boundary. */
  readonly boundary?: string;
  readonly boundaryStatements: readonly Statement[] | undefined;
}

/** For lists and values: undefined where it could not be read, null where there is none. */
export interface UserFacts extends IdentityBase {
  readonly kind: 'user';
  readonly groups: readonly string[] | undefined;
  readonly mfa: readonly string[] | undefined;
  readonly console: { readonly createdAt?: string; readonly resetRequired: boolean } | null | undefined;
  readonly passwordLastUsed?: string;
  readonly keys: readonly KeyFacts[] | undefined;
}

export interface RoleFacts extends IdentityBase {
  readonly kind: 'role';
  readonly description: string;
  readonly lastUsed?: { readonly at: string; readonly region: string };
  readonly maxSessionSeconds: number;
  readonly trust: readonly Statement[] | undefined;
}
