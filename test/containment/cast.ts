/** People and credentials for tests of containment: an attacker's, a bystander's, and what each of them may still do. */
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import {
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { expect } from 'vitest';
import type { Role, User } from '../../demo/aws/state.ts';
import { configFor } from '../../demo/setting.ts';
import { demoIds, demoPeople, type Message } from '../../demo/slack/workspace.ts';
import { setDocumentedRights } from '../fakes/watched-account.ts';
import { hasButton, openScene, type Scene, type SceneOptions, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar, onCall, team } = demoIds;
const una = 'U07UNA4ONCA';

/** The words in which AWS refuses a call, by service. */
export const refused = /^(UnauthorizedOperation|AuthFailure|AccessDenied|InvalidClientTokenId)$/;
/** Both approvers. */
export const both = ['omar', 'una'] as const;

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const arnOfUser = (name: string) => `arn:aws:iam::999999999999:user/${name}`;

/** A scene under the documented policies, with two approvers beside Rosa, who asks. */
export async function openContainment(options: SceneOptions = {}): Promise<Containment> {
  const second = { id: una, name: 'una', realName: 'Una', email: 'una@acme-cloud.example', teamId: team, role: 'x' };
  const scene = await openScene({
    aws: { backgroundEvents: 0, lookupRatePerSecond: 10_000, ...options.aws },
    slack: {
      people: [...demoPeople, second],
      groups: [{ id: onCall, handle: 'ir-oncall', name: 'IR on-call', users: [omar, una] }],
    },
    start: false,
  });
  setDocumentedRights(scene.aws);
  const on = new Containment(scene);
  await on.start();
  return on;
}

export class Containment {
  readonly scene: Scene;
  constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Starts the process, again too: the same data, the same config. */
  async start(): Promise<void> {
    const approvers = { users: [omar, una], groups: [onCall], required: 1 };
    await this.scene.start({ config: { ...configFor(this.scene.aws), regions: ['us-east-1'], approvers } });
  }

  /** An administrator who works behind Firebreak's back. */
  get admin(): IAMClient {
    return this.iam(this.scene.aws.credentials.breakGlass);
  }

  iam(credentials: Keys): IAMClient {
    return new IAMClient({ region: 'us-east-1', endpoint: this.scene.aws.url, credentials, maxAttempts: 1 });
  }

  sts(credentials: Keys): STSClient {
    return new STSClient({ region: 'us-east-1', endpoint: this.scene.aws.url, credentials, maxAttempts: 1 });
  }

  ec2(credentials: Keys): EC2Client {
    return new EC2Client({ region: 'us-east-1', endpoint: this.scene.aws.url, credentials, maxAttempts: 1 });
  }

  /** A user with a key, who may look at EC2, start machines, and make sessions and users. */
  async user(name: string): Promise<Keys> {
    await this.admin.send(new CreateUserCommand({ UserName: name }));
    const Action = ['ec2:*', 'sts:*', 'iam:*'];
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
    });
    await this.admin.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'Work', PolicyDocument }));
    return this.key(name);
  }

  async key(UserName: string): Promise<Keys> {
    const { AccessKey } = await this.admin.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  async password(UserName: string, Password = 'correct horse'): Promise<string> {
    await this.admin.send(new CreateLoginProfileCommand({ UserName, Password }));
    return Password;
  }

  async sessionToken(of: Keys): Promise<Keys> {
    return credentialsIn(await this.sts(of).send(new GetSessionTokenCommand({})));
  }

  async assume(as: Keys, role: Role, RoleSessionName: string): Promise<Keys> {
    return credentialsIn(await this.sts(as).send(new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName })));
  }

  /** `works`, or the code of AWS's refusal. */
  async looks(as: Keys): Promise<string> {
    return outcome(() => this.ec2(as).send(new DescribeInstancesCommand({ MaxResults: 5 })));
  }

  async starts(as: Keys): Promise<string> {
    const machine = { ImageId: 'ami-0c2b8ca1dad447f8a', MinCount: 1, MaxCount: 1, InstanceType: 't3.micro' as const };
    return outcome(() => this.ec2(as).send(new RunInstancesCommand(machine)));
  }

  async makesUser(as: Keys, UserName: string): Promise<string> {
    return outcome(() => this.iam(as).send(new CreateUserCommand({ UserName })));
  }

  account() {
    const account = this.scene.aws.state.accounts.get(this.scene.aws.accounts.workshop.id);
    if (account === undefined) throw new RangeError('the cast has changed');
    return account;
  }

  state(name: string): User {
    const user = this.account().users.get(name);
    if (user === undefined) throw new RangeError(`there is no user ${name}`);
    return user;
  }

  /** A role that these users may assume, and that may look at EC2. */
  role(name: string, path: string, users: readonly string[]): Role {
    const Principal = { AWS: users.map((user) => this.state(user).arn) };
    const role: Role = {
      ...{ name, path, id: `AROA${name.toUpperCase()}`, arn: `arn:aws:iam::${this.account().id}:role${path}${name}` },
      ...{ createDate: new Date(), description: '', maxSessionDuration: 3_600 },
      trust: { Statement: { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' } },
      policies: [{ name: 'Look', document: { Statement: { Effect: 'Allow', Action: 'ec2:*', Resource: '*' } } }],
    };
    this.account().roles.set(name, role);
    return role;
  }

  /** All that containment may change of a user, and undo must put back: text by text, in order. */
  held(name: string): string {
    const { inlinePolicies, attachedPolicies, keys, otherCredentials, mfaDevices, loginProfile, groups } =
      this.state(name);
    const statuses = keys.map(({ id, history }) => [id, history.at(-1)?.status]);
    return JSON.stringify([
      inlinePolicies,
      attachedPolicies,
      statuses,
      otherCredentials,
      mfaDevices,
      loginProfile,
      groups,
    ]);
  }

  cards(): readonly Message[] {
    return this.scene.slack.messages(alerts);
  }

  at(ts: string): Message {
    return this.cards().find((message) => message.ts === ts) ?? ({} as Message);
  }

  /** The words of each reply in the card's thread. */
  thread({ ts }: Message): readonly string[] {
    return this.scene.slack.thread(alerts, ts).map(wordsOf);
  }

  /** Rosa asks; returns the card that waits for approvals. */
  async ask(words: string): Promise<Message> {
    const known = new Set(this.cards().map(({ ts }) => ts));
    await this.scene.slack.slash(rosa, alerts, `contain ${words}`);
    return this.waiting(known);
  }

  async askUndo(card: Message): Promise<Message> {
    const known = new Set(this.cards().map(({ ts }) => ts));
    await this.scene.slack.click(rosa, alerts, card.ts, 'undo');
    return this.waiting(known);
  }

  private waiting(known: ReadonlySet<string>): Promise<Message> {
    const isNew = (message: Message) => !known.has(message.ts) && hasButton(message, 'approve');
    return this.scene.slack.waitFor(() => this.cards().find(isNew), 30_000);
  }

  /** What only Rosa is told instead of a plan. */
  async refusedAsk(words: string, why: RegExp): Promise<string> {
    const known = this.scene.slack.ephemerals(rosa).length;
    await this.scene.slack.slash(rosa, alerts, `contain ${words}`);
    const told = await this.scene.slack.waitFor(
      () =>
        this.scene.slack
          .ephemerals(rosa)
          .slice(known)
          .find((message) => why.test(JSON.stringify(message))),
      30_000,
    );
    return JSON.stringify(told);
  }

  async approve(card: Message, by: readonly ('omar' | 'una')[]): Promise<void> {
    for (const who of by) await this.scene.slack.click(who === 'omar' ? omar : una, alerts, card.ts, 'approve');
  }

  /** Approved by so many, until the card says how it ended. */
  async settled(card: Message, by: readonly ('omar' | 'una')[], end: RegExp = /Done and verified/): Promise<Message> {
    await this.approve(card, by);
    return this.scene.slack.waitFor(() => {
      const now = this.at(card.ts);
      return end.test(wordsOf(now)) ? now : undefined;
    }, 45_000);
  }

  /** Asked, approved by so many people, and read back. */
  async contain(words: string, by: readonly ('omar' | 'una')[] = ['omar']): Promise<Message> {
    return this.settled(await this.ask(words), by);
  }

  async undo(card: Message, by: readonly ('omar' | 'una')[] = ['omar']): Promise<Message> {
    return this.settled(await this.askUndo(card), by);
  }

  /** Another user's key works whatever was contained. */
  async expectBystander(): Promise<void> {
    expect(await this.looks(this.scene.aws.credentials.bystander)).toBe('works');
  }

  /** What the responder role has written, in order, refused calls left out. */
  writes(): readonly string[] {
    return this.scene.aws.calls
      .filter(({ principalArn, error }) => principalArn?.includes('/IrResponder/') && error === undefined)
      .map(({ operation }) => operation)
      .filter((operation) => !/^(Get|List)/.test(operation));
  }
}

function credentialsIn({
  Credentials: given,
}: {
  Credentials?:
    | { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined }
    | undefined;
}): Keys {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = given ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

async function outcome(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'works';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
