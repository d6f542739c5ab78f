/** The everyday traffic of the generated data set: users, role sessions and AWS services of twelve accounts. */
import type { PlannedCall } from './intrusions.ts';
import { agents, base64, hex, reads, regions, services, upper, writes } from './noise-lists.ts';

const dayMs = 86_400_000;
const start = Date.parse('2026-10-20T00:00:00Z');
const days = 30;

/** A number generator of 32 bits (mulberry32): the same seed gives the same set on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Where {
  readonly account: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly span: number;
}

/** One set of credentials. */
interface Session {
  readonly name: string;
  readonly key: string;
  readonly made: string;
}

export class World {
  readonly #next: () => number;
  readonly accounts: readonly string[];
  readonly #users: readonly { account: string; name: string; key: string; ip: string; id: string }[];
  readonly #roles: readonly { account: string; name: string; id: string; sessions: readonly Session[] }[];
  readonly #instances: readonly { account: string; id: string; ip: string }[];
  readonly #instanceOf: ReadonlyMap<string, { readonly ip: string }>;
  /** Offices and gateways that hundreds leave through. */
  readonly #hubs: readonly string[];

  constructor(seed: number) {
    this.#next = random(seed);
    this.accounts = Array.from({ length: 12 }, (_, i) => String(210_000_000_000 + i * 7_654_321));
    this.#hubs = ['192.0.2.10', '192.0.2.11', '192.0.2.12'];
    this.#users = Array.from({ length: 400 }, (_, i) => ({
      account: this.#pick(this.accounts),
      name: `user-${i}`,
      key: `AKIA${this.#text(upper, 16)}`,
      id: `AIDA${this.#text(upper, 17)}`,
      ip: this.#ip(),
    }));
    this.#instances = Array.from({ length: 6000 }, () => ({
      account: this.#pick(this.accounts),
      id: `i-${this.#text(hex, 17)}`,
      ip: this.#ip(),
    }));
    this.#instanceOf = new Map(this.#instances.map((instance) => [instance.id, instance]));
    this.#roles = Array.from({ length: 350 }, (_, i) => ({
      account: this.#pick(this.accounts),
      name: `eksctl-production-nodegroup-${i}-NodeInstanceRole-${this.#text(upper, 12)}`,
      id: `AROA${this.#text(upper, 17)}`,
      sessions: Array.from({ length: 40 }, (_unused, n) => ({
        name: i % 3 === 0 ? this.#pick(this.#instances).id : `session-${i}-${n}`,
        key: `ASIA${this.#text(upper, 16)}`,
        made: new Date(start + this.below(days) * dayMs).toISOString().replace(/\.\d+Z$/, 'Z'),
      })),
    }));
  }

  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  chance(p: number): boolean {
    return this.#next() < p;
  }

  shuffle(list: unknown[]): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }

  place(file: number, files: number): Where {
    const span = (days * dayMs) / files;
    return { account: this.#pick(this.accounts), region: this.#pick(regions), from: start + span * file, span };
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  #text(letters: string, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += letters[this.below(letters.length)];
    return text;
  }

  #uuid(): string {
    const text = this.#text(hex, 32);
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
  }

  /** Never one of the documentation ranges that the intrusions use. */
  #ip(): string {
    return `${1 + this.below(9)}.${this.below(256)}.${this.below(256)}.${1 + this.below(254)}`;
  }

  #time(where: Where): string {
    return new Date(where.from + this.below(where.span)).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  attack(call: PlannedCall): string {
    return JSON.stringify({
      eventVersion: '1.11',
      userIdentity: call.identity,
      eventTime: call.at,
      eventSource: `${call.service}.amazonaws.com`,
      eventName: call.name,
      awsRegion: call.region,
      sourceIPAddress: call.ip,
      userAgent: 'aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-kali exe/x86_64.kali.2024',
      requestParameters: call.request ?? null,
      responseElements: call.response ?? null,
      requestID: this.#uuid(),
      eventID: this.#uuid(),
      readOnly: call.readOnly,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: call.account,
      eventCategory: 'Management',
    });
  }

  noise(where: Where): string {
    const kind = this.#next();
    if (kind < 0.35) return this.#byUser(where);
    if (kind < 0.9) return this.#bySession(where);
    return this.#byService(where);
  }

  #byUser(where: Where): string {
    const user = this.#pick(this.#users);
    const identity = {
      type: 'IAMUser',
      principalId: user.id,
      arn: `arn:aws:iam::${user.account}:user/${user.name}`,
      accountId: user.account,
      accessKeyId: user.key,
      userName: user.name,
    };
    return this.#record(where, user.account, identity, this.chance(0.5) ? this.#pick(this.#hubs) : user.ip);
  }

  #bySession(where: Where): string {
    const role = this.#pick(this.#roles);
    const session = this.#pick(role.sessions);
    const instance = this.#instanceOf.get(session.name);
    const identity = {
      type: 'AssumedRole',
      principalId: `${role.id}:${session.name}`,
      arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session.name}`,
      accountId: role.account,
      accessKeyId: session.key,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: role.id,
          arn: `arn:aws:iam::${role.account}:role/${role.name}`,
          accountId: role.account,
          userName: role.name,
        },
        attributes: { creationDate: session.made, mfaAuthenticated: 'false' },
        ...(instance ? { ec2RoleDelivery: '2.0' } : { webIdFederationData: this.#web(role.account) }),
      },
    };
    return this.#record(where, role.account, identity, instance?.ip ?? this.#pick(this.#hubs));
  }

  #web(account: string): object {
    const provider = `oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE`;
    return { federatedProvider: `arn:aws:iam::${account}:oidc-provider/${provider}`, attributes: {} };
  }

  #byService(where: Where): string {
    const role = this.#pick(this.#roles);
    const service = `${this.#pick(services)}.amazonaws.com`;
    const { name: session, key: accessKeyId } = this.#pick(role.sessions);
    return this.#wrap(where, {
      userIdentity: { type: 'AWSService', invokedBy: service },
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      sourceIPAddress: service,
      userAgent: service,
      requestParameters: {
        roleArn: `arn:aws:iam::${role.account}:role/${role.name}`,
        roleSessionName: session,
        durationSeconds: 3600,
      },
      responseElements: {
        credentials: {
          accessKeyId,
          sessionToken: `IQoJb3JpZ2luX2VjE${this.#text(`${upper}${hex}`, 300)}`,
          expiration: 'Nov 20, 2026, 11:08:17 PM',
        },
        assumedRoleUser: {
          assumedRoleId: `${role.id}:${session}`,
          arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session}`,
        },
      },
      resources: [
        { accountId: role.account, type: 'AWS::IAM::Role', ARN: `arn:aws:iam::${role.account}:role/${role.name}` },
      ],
      readOnly: true,
      recipientAccountId: role.account,
      sharedEventID: this.#uuid(),
    });
  }

  #record(where: Where, account: string, userIdentity: object, ip: string): string {
    const failed = this.chance(0.03);
    const write = !failed && this.chance(0.2);
    const [service, name] = this.#pick(write ? writes : reads);
    const instances = Array.from({ length: 4 + this.below(9) }, () => ({ instanceId: this.#pick(this.#instances).id }));
    return this.#wrap(where, {
      userIdentity,
      eventSource: `${service}.amazonaws.com`,
      eventName: name,
      sourceIPAddress: ip,
      userAgent: this.#pick(agents),
      ...(failed
        ? {
            errorCode: 'AccessDenied',
            errorMessage: `User is not authorized to perform: ${service}:${name} because no identity-based policy allows it`,
          }
        : {}),
      requestParameters: this.#request(service, name, account, instances),
      responseElements: write ? this.#response(name, instances) : null,
      ...this.#more(service, account),
      readOnly: !write,
      recipientAccountId: account,
      tlsDetails: {
        tlsVersion: 'TLSv1.3',
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        clientProvidedHostHeader: `${service}.${where.region}.amazonaws.com`,
      },
    });
  }

  #response(name: string, instances: readonly object[]): object {
    const requestId = this.#uuid();
    if (name !== 'RunTask') return { requestId, _return: true };
    const tasks = instances.map((one) => ({
      taskArn: `arn:aws:ecs:us-east-1:task/production/${this.#text(hex, 32)}`,
      containerInstance: one,
      desiredStatus: 'RUNNING',
      lastStatus: 'RUNNING',
      attachments: [
        {
          id: this.#uuid(),
          type: 'ElasticNetworkInterface',
          status: 'ATTACHED',
          details: [
            { name: 'networkInterfaceId', value: `eni-${this.#text(hex, 17)}` },
            { name: 'macAddress', value: this.#text(hex, 12) },
            { name: 'privateIPv4Address', value: `10.${this.below(256)}.${this.below(256)}.${this.below(256)}` },
          ],
        },
      ],
      cpu: '1024',
      memory: '2048',
      healthStatus: 'UNKNOWN',
    }));
    return { requestId, tasks, failures: [] };
  }

  /** What some services write beside the request. */
  #more(service: string, account: string): object {
    if (service === 's3') {
      const bucket = `data-${account}-${this.below(40)}`;
      return {
        additionalEventData: {
          SignatureVersion: 'SigV4',
          CipherSuite: 'TLS_AES_128_GCM_SHA256',
          bytesTransferredIn: 0,
          AuthenticationMethod: 'AuthHeader',
          'x-amz-id-2': this.#text(base64, 76),
          bytesTransferredOut: this.below(100_000),
        },
        resources: [{ accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` }],
      };
    }
    if (service !== 'kms') return {};
    const ARN = `arn:aws:kms:us-east-1:${account}:key/${this.#uuid()}`;
    return { resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN }] };
  }

  #request(service: string, name: string, account: string, instances: readonly object[]): object | null {
    if (name === 'RunTask') return { cluster: 'production', tasks: instances };
    if (name === 'CreateTags')
      return {
        resourcesSet: { items: instances.map((one) => ({ resourceId: Reflect.get(one, 'instanceId') })) },
        tagSet: { items: [{ key: 'Name', value: `web-${this.#text(hex, 8)}` }] },
      };
    if (service === 'ec2') {
      const filters = Object.entries({
        'tag:kubernetes.io/cluster/production': ['owned'],
        'instance-state-name': ['pending', 'running'],
        'vpc-id': [`vpc-0a${account}b`],
      });
      const items = filters.map(([key, values]) => ({
        name: key,
        valueSet: { items: values.map((value) => ({ value })) },
      }));
      return { instancesSet: { items: instances }, filterSet: { items }, maxResults: 500 };
    }
    if (service === 's3') return { bucketName: `data-${account}-${this.below(40)}`, Host: 's3.amazonaws.com', acl: '' };
    if (name === 'GetUser') return { userName: this.#pick(this.#users).name };
    if (service === 'iam') return { roleName: this.#pick(this.#roles).name };
    if (service === 'kms')
      return {
        encryptionContext: { 'aws:ebs:id': `vol-${this.#text(hex, 17)}` },
        keyId: `arn:aws:kms:us-east-1:${account}:key/${this.#uuid()}`,
        encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    if (service === 'ssm') return { name: `/prod/service/${this.#text(hex, 12)}`, withDecryption: true };
    if (service === 'secretsmanager') return { secretId: `prod/db-${this.below(200)}`, versionId: this.#uuid() };
    const page = { maxResults: 100, ...(this.chance(0.5) ? { nextToken: this.#text(base64, 120) } : {}) };
    return { name: `thing-${this.below(2000)}`, ...page, include: ['TAGS', 'STATISTICS', 'CONFIGURATIONS'] };
  }

  #wrap(where: Where, fields: Readonly<Record<string, unknown>>): string {
    const { userIdentity, eventSource, eventName, sourceIPAddress, userAgent, ...rest } = fields;
    return JSON.stringify({
      eventVersion: '1.11',
      userIdentity,
      eventTime: this.#time(where),
      eventSource,
      eventName,
      awsRegion: where.region,
      sourceIPAddress,
      userAgent,
      ...rest,
      requestID: this.#uuid(),
      eventID: this.#uuid(),
      eventType: 'AwsApiCall',
      managementEvent: true,
      eventCategory: 'Management',
    });
  }
}
