/** What the accounts of the world have in services beside EC2. Things are kept as the wire shows them. */
import type { Value } from './protocols.ts';

interface Shown {
  readonly [field: string]: Value;
}

/** A thing in a Region. */
export interface Placed {
  readonly region: string;
  readonly shown: Shown;
}

export interface ServicesState {
  /** ECS, by ARN of the cluster. */
  readonly clusters: Map<string, { readonly region: string; readonly tasks: Shown[]; readonly services: Shown[] }>;
  readonly functions: (Placed & { readonly url?: 'NONE' | 'AWS_IAM' })[];
  readonly notebooks: Placed[];
  /** With the machines of its one variant. */
  readonly endpoints: (Placed & { readonly machine: Shown; readonly many: number })[];
  /** `shown` is the summary, `more` what only a description has. */
  readonly trainingJobs: (Placed & { readonly more: Shown })[];
  readonly processingJobs: (Placed & { readonly more: Shown })[];
  readonly apps: Placed[];
  /** By Region; elsewhere the sandbox. */
  readonly mail: Map<string, { readonly account: Shown; readonly identities: Shown[] }>;
  readonly quotaRequests: Placed[];
  readonly lightsail: Placed[];
  readonly spotFleets: Placed[];
  readonly fleets: Placed[];
  /** Undefined: no support plan that has an API. */
  supportCases: Shown[] | undefined;
  /** Ids of VPCs whose DNS queries are logged. */
  readonly queryLogs: Set<string>;
  /** Ids of VPCs that another account shares with this one, and that account. */
  readonly sharedVpcs: Map<string, string>;
}

export function newServices(): ServicesState {
  return {
    ...{ clusters: new Map(), functions: [], notebooks: [], endpoints: [], trainingJobs: [], processingJobs: [] },
    ...{ apps: [], mail: new Map(), quotaRequests: [], lightsail: [], spotFleets: [], fleets: [] },
    ...{ supportCases: undefined, queryLogs: new Set(), sharedVpcs: new Map() },
  };
}

/** Seconds since 1970, as the JSON protocols write times. */
export function epoch(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** Tasks of one service on Fargate. */
export function fargateTasks(
  where: { readonly accountId: string; readonly region: string; readonly cluster: string },
  what: { readonly family: string; readonly cpu: number; readonly memory: number; readonly image: string },
  startedAt: Date,
  many: number,
): Shown[] {
  const arn = (kind: string, id: string) => `arn:aws:ecs:${where.region}:${where.accountId}:${kind}/${id}`;
  return Array.from({ length: many }, (_, index) => ({
    taskArn: arn('task', `${where.cluster}/${String(index).padStart(32, '0')}`),
    clusterArn: arn('cluster', where.cluster),
    taskDefinitionArn: arn('task-definition', `${what.family}:1`),
    ...{ group: `service:${what.family}`, launchType: 'FARGATE', lastStatus: 'RUNNING', desiredStatus: 'RUNNING' },
    ...{ cpu: String(what.cpu), memory: String(what.memory), platformFamily: 'Linux', platformVersion: '1.4.0' },
    attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    containers: [{ name: what.family, image: what.image, lastStatus: 'RUNNING' }],
    ...{ createdAt: epoch(startedAt), startedAt: epoch(startedAt) },
  }));
}

export function ecsService(
  where: { readonly accountId: string; readonly region: string; readonly cluster: string },
  name: string,
  desiredCount: number,
  createdAt: Date,
): Shown {
  const arn = (kind: string, id: string) => `arn:aws:ecs:${where.region}:${where.accountId}:${kind}/${id}`;
  return {
    serviceArn: arn('service', `${where.cluster}/${name}`),
    ...{ serviceName: name, clusterArn: arn('cluster', where.cluster), status: 'ACTIVE', launchType: 'FARGATE' },
    ...{ desiredCount, runningCount: desiredCount, pendingCount: 0, createdAt: epoch(createdAt) },
    taskDefinition: arn('task-definition', `${name}:1`),
  };
}

/**
 * What the shop runs beside its machines, and two things that nobody there knows of. Both are older than CloudTrail's event history,
 * so that only a look at what exists now finds them.
 */
export function shopServices(accountId: string, ago: (days: number) => Date): ServicesState {
  const services = newServices();
  const where = { accountId, region: 'eu-west-1', cluster: 'shop' };
  const image = `${accountId}.dkr.ecr.eu-west-1.amazonaws.com/thumbnails:41`;
  services.clusters.set(`arn:aws:ecs:eu-west-1:${accountId}:cluster/shop`, {
    region: 'eu-west-1',
    tasks: fargateTasks(where, { family: 'thumbnails', cpu: 512, memory: 1024, image }, ago(21), 2),
    services: [ecsService(where, 'thumbnails', 2, ago(150))],
  });
  services.functions.push({
    region: 'us-east-1',
    shown: {
      FunctionName: 'order-mails',
      FunctionArn: `arn:aws:lambda:us-east-1:${accountId}:function:order-mails`,
      ...{ Runtime: 'nodejs22.x', Role: `arn:aws:iam::${accountId}:role/service-role/order-mails`, MemorySize: 256 },
      LastModified: ago(200).toISOString().replace('Z', '+0000'),
    },
  });
  services.mail.set('us-east-1', {
    account: {
      ...{ ProductionAccessEnabled: true, SendingEnabled: true, EnforcementStatus: 'HEALTHY' },
      SendQuota: { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 1_840 },
    },
    identities: [
      {
        ...{ IdentityType: 'DOMAIN', IdentityName: 'workshop.example', SendingEnabled: true },
        VerificationStatus: 'SUCCESS',
      },
    ],
  });
  services.notebooks.push({
    region: 'ap-southeast-1',
    shown: {
      NotebookInstanceName: 'forecast-dev',
      NotebookInstanceArn: `arn:aws:sagemaker:ap-southeast-1:${accountId}:notebook-instance/forecast-dev`,
      ...{ NotebookInstanceStatus: 'InService', InstanceType: 'ml.g4dn.xlarge' },
      ...{ CreationTime: epoch(ago(131)), LastModifiedTime: epoch(ago(131)) },
    },
  });
  return services;
}
