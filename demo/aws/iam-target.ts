/** AWS IAM: whom a call is about. */
import { noSuchEntity, validationError } from './errors.ts';
import { type Call, text } from './service.ts';
import type { User } from './state.ts';

/** The user that a call is about: the one named, else the caller. The permission is asked for before existence is told. */
export function targetUser(call: Call): User {
  const { account, user: caller } = call.principal;
  const name = text(call.input, 'UserName') ?? caller?.name;
  if (name === undefined) throw validationError('Must specify userName when calling with non-User credentials');
  const user = account.users.get(name);
  const arn = user?.arn ?? `arn:aws:iam::${account.id}:user/${name}`;
  const policyArn = text(call.input, 'PolicyArn');
  call.may(
    `iam:${call.operation}`,
    arn,
    `user ${name}`,
    policyArn === undefined ? {} : { 'iam:policyarn': [policyArn] },
  );
  if (user === undefined) throw noSuchEntity(`The user with name ${name} cannot be found.`);
  return user;
}
