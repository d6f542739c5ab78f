/** Who calls: authentication of a request, and the decision whether the caller may do what it asks. */
import { accessDenied, type CredentialTrouble, type Protocol } from './errors.ts';
import { type Access, type Context, evaluate, type PolicyDocument } from './policy.ts';
import { isTimely, readScope, type Scope, type SignedRequest, signatureMatches } from './sigv4.ts';
import {
  type Account,
  accountOf,
  enforcedStatus,
  findKey,
  type Role,
  type Session,
  type State,
  type User,
} from './state.ts';

export interface Principal {
  readonly account: Account;
  readonly arn: string;
  /** AIDA... or AROA...:session */
  readonly principalId: string;
  readonly accessKeyId: string;
  readonly sourceIp: string;
  readonly user?: User;
  readonly session?: Session;
  readonly identityPolicies: readonly PolicyDocument[];
  readonly sessionPolicy?: PolicyDocument;
  readonly context: Context;
}

function userPolicies(user: User): readonly PolicyDocument[] {
  const fromGroups = user.groups.flatMap((group) => group.policies);
  return [...user.inlinePolicies, ...user.attachedPolicies, ...fromGroups].map((policy) => policy.document);
}

/** The identity-based policies of a user, groups included, or of a role. */
export function policiesOf(holder: User | Role): readonly PolicyDocument[] {
  return 'keys' in holder ? userPolicies(holder) : holder.policies.map((policy) => policy.document);
}

function userPrincipal(account: Account, user: User, accessKeyId: string, sourceIp: string): Principal {
  return {
    account,
    arn: user.arn,
    principalId: user.id,
    accessKeyId,
    sourceIp,
    user,
    identityPolicies: userPolicies(user),
    context: {
      'aws:username': [user.name],
      'aws:userid': [user.id],
      'aws:principalarn': [user.arn],
      'aws:principalaccount': [account.id],
      'aws:principalorgid': [account.orgId],
      'aws:principaltype': ['User'],
    },
  };
}

function sessionPrincipal(account: Account, session: Session): Principal {
  const { of } = session;
  if ('user' in of) {
    const principal = userPrincipal(account, of.user, session.accessKeyId, session.sourceIp);
    const context = { ...principal.context, 'aws:tokenissuetime': [session.issuedAt.toISOString()] };
    return { ...principal, session, context };
  }
  const { role, sessionName } = of;
  const principalId = `${role.id}:${sessionName}`;
  const tags = session.tags.map((tag) => [`aws:principaltag/${tag.Key.toLowerCase()}`, [tag.Value]] as const);
  return {
    account,
    arn: `arn:aws:sts::${account.id}:assumed-role/${role.name}/${sessionName}`,
    principalId,
    accessKeyId: session.accessKeyId,
    sourceIp: session.sourceIp,
    session,
    identityPolicies: role.policies.map((policy) => policy.document),
    ...(session.policy === undefined ? {} : { sessionPolicy: session.policy }),
    context: {
      'aws:userid': [principalId],
      'aws:principalarn': [role.arn],
      'aws:principalaccount': [account.id],
      'aws:principalorgid': [account.orgId],
      'aws:principaltype': ['AssumedRole'],
      'aws:tokenissuetime': [session.issuedAt.toISOString()],
      ...(session.instanceArn === undefined ? {} : { 'ec2:sourceinstancearn': [session.instanceArn] }),
      ...(session.sourceIdentity === undefined ? {} : { 'aws:sourceidentity': [session.sourceIdentity] }),
      ...Object.fromEntries(tags),
    },
  };
}

function checked(request: SignedRequest, scope: Scope, secret: string): CredentialTrouble | undefined {
  if (!signatureMatches(request, scope, secret)) return 'badSignature';
  // Requests are signed by the machine's clock, whatever time the story runs on.
  return isTimely(request.headers, Date.now()) ? undefined : 'clock';
}

/**
 * Who signed this request. A key that is unknown, disabled, or used without its session token gives `unknownKey`,
 * as AWS gives. The scope is returned where it could be read, also in failure.
 */
export function authenticate(
  state: State,
  request: SignedRequest,
  now: Date,
): { principal: Principal; scope: Scope } | { trouble: CredentialTrouble; scope: Scope | undefined } {
  const scope = readScope(request.headers);
  if (scope === 'missing' || scope === 'incomplete') return { trouble: scope, scope: undefined };
  const session = state.sessions.get(scope.accessKeyId);
  if (session !== undefined) {
    if (request.headers['x-amz-security-token'] !== session.token) return { trouble: 'unknownKey', scope };
    const trouble = checked(request, scope, session.secret);
    if (trouble !== undefined) return { trouble, scope };
    if (session.expiresAt <= now) return { trouble: 'expired', scope };
    const account = accountOf(state, session.accountId);
    // A user created again under the same name is another one.
    const { of } = session;
    if ('user' in of && account.users.get(of.user.name) !== of.user) return { trouble: 'unknownKey', scope };
    return { principal: sessionPrincipal(account, session), scope };
  }
  const found = findKey(state, scope.accessKeyId);
  if (found === undefined) return { trouble: 'unknownKey', scope };
  const { account, user, key } = found;
  if (request.headers['x-amz-security-token'] !== undefined) return { trouble: 'unknownKey', scope };
  if (enforcedStatus(key, now, state.iamDelayMs) !== 'Active') return { trouble: 'unknownKey', scope };
  const trouble = checked(request, scope, key.secret);
  if (trouble !== undefined) return { trouble, scope };
  key.lastUsed = { date: now, service: scope.service, region: scope.region };
  return { principal: userPrincipal(account, user, key.id, key.sourceIp), scope };
}

/** Throws the protocol's denial, worded as AWS words it. `shown` is the resource as the message names it. */
export function authorize(protocol: Protocol, principal: Principal, access: Omit<Access, 'principal'>, shown?: string) {
  const place = { 'aws:sourceip': [principal.sourceIp], 'aws:viaawsservice': ['false'] };
  const full = { ...access, context: { ...place, ...principal.context, ...access.context } };
  const subject = `User: ${principal.arn} is not authorized to perform: ${access.action}`;
  const where = access.resource === '*' && shown === undefined ? '' : ` on resource: ${shown ?? access.resource}`;
  const kinds = [
    ['identity-based', principal.identityPolicies],
    ['session', principal.sessionPolicy === undefined ? undefined : [principal.sessionPolicy]],
  ] as const;
  for (const [kind, documents] of kinds) {
    if (documents === undefined) continue;
    const decision = evaluate(documents, full);
    if (decision === 'allowed') continue;
    const article = kind === 'session' ? 'a' : 'an';
    const because =
      decision === 'explicitDeny'
        ? `with an explicit deny in ${article} ${kind} policy`
        : `because no ${kind} policy allows the ${access.action} action`;
    throw accessDenied(protocol, `${subject}${where} ${because}`);
  }
}
