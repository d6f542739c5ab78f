/** What has no API call of its own: the console's sign-in page, and the doors that take SSH keys and service passwords. */
import { randomBytes, randomUUID } from 'node:crypto';
import { newSecret, uniqueId } from './ids.ts';
import { accountOf, type Session, type State } from './state.ts';
import { seconds, type Trail } from './trail.ts';

export interface SignIn {
  readonly accountId: string;
  readonly userName: string;
  readonly password: string;
  /** The device whose code is typed, where one is asked for. */
  readonly mfaSerial?: string;
}

export interface ConsoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const consoleMs = 12 * 3_600_000;

/** A console session's credentials, or undefined where the page refuses. Recorded as ConsoleLogin either way. */
export function signIn(state: State, trail: Trail, asked: SignIn, now: Date): ConsoleSession | undefined {
  const account = accountOf(state, asked.accountId);
  const user = account.users.get(asked.userName);
  const knows = user?.loginProfile?.password !== undefined && user.loginProfile.password === asked.password;
  const proves =
    user !== undefined &&
    (user.mfaDevices.length === 0 || user.mfaDevices.some(({ serial }) => serial === asked.mfaSerial));
  const isIn = user !== undefined && knows && proves;
  const result = isIn ? 'Success' : 'Failure';
  trail.add(
    {
      eventVersion: '1.08',
      userIdentity: {
        type: 'IAMUser',
        accountId: account.id,
        userName: asked.userName,
        ...(user === undefined ? {} : { principalId: user.id, arn: user.arn }),
      },
      eventTime: seconds(now),
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      awsRegion: 'us-east-1',
      sourceIPAddress: '203.0.113.99',
      userAgent: 'Mozilla/5.0',
      ...(isIn ? {} : { errorMessage: 'Failed authentication' }),
      requestParameters: null,
      responseElements: { ConsoleLogin: result },
      additionalEventData: { MFAUsed: asked.mfaSerial === undefined ? 'No' : 'Yes' },
      requestID: randomUUID(),
      eventID: randomUUID(),
      readOnly: false,
      eventType: 'AwsConsoleSignIn',
      managementEvent: true,
      recipientAccountId: account.id,
      eventCategory: 'Management',
    },
    now.getTime(),
  );
  if (!isIn) return undefined;
  const session: Session = {
    accessKeyId: uniqueId('ASIA', account.id),
    secret: newSecret(),
    token: `IQoJb3JpZ2luX2Vj${randomBytes(180).toString('base64')}`,
    accountId: account.id,
    issuedAt: new Date(Math.floor(now.getTime() / 1_000) * 1_000),
    expiresAt: new Date(now.getTime() + consoleMs),
    sourceIp: '203.0.113.99',
    of: { user },
    tags: [],
  };
  state.sessions.set(session.accessKeyId, session);
  return { accessKeyId: session.accessKeyId, secretAccessKey: session.secret, sessionToken: session.token };
}

/** Whether a Git, Cassandra or SOAP door lets in who presents this SSH key, service password or certificate. */
export function opensDoor(state: State, credentialId: string): boolean {
  return [...state.accounts.values()].some((account) =>
    [...account.users.values()].some((user) =>
      user.otherCredentials.some(({ id, status }) => id === credentialId && status === 'Active'),
    ),
  );
}
