/**
 * An account that writes down what is asked of it: the local server of AWS's protocols with the story in it, reached by the
 * real SDK through the real reach, under the very policies that docs/reference/permissions.md tells operators to set.
 */
import { storyFindings } from '../../demo/aws/findings.ts';
import { type DemoAws, startDemoAws } from '../../demo/aws/server.ts';
import { epoch } from '../../demo/aws/services-state.ts';
import type { Role } from '../../demo/aws/state.ts';
import { addFleet } from '../../demo/aws/stories/fleet.ts';
import { addWebServers } from '../../demo/aws/stories/machines.ts';
import { s3Story } from '../../demo/aws/stories/s3.ts';
import { later, recordOf, type Story } from '../../demo/aws/stories/story.ts';
import { pipelineKeyId } from '../../demo/aws/world.ts';
import {
  auditPolicy,
  auditTrust,
  executorPolicy,
  responderPolicy,
  responderTrust,
  workerPolicy,
} from '../../scripts/reference/permissions.ts';
import { openReach } from '../../src/aws/reach.ts';
import { systemClock } from '../../src/clock.ts';
import type { AwsReach } from '../../src/contracts/aws.ts';
import type { InventoryEntry } from '../../src/contracts/investigation.ts';
import { openLookupEvidence } from '../../src/evidence/lookup.ts';
import type { OpenEvidence } from '../../src/flows/deps.ts';
import { quietLog } from './quiet-log.ts';

export interface WatchedAccount {
  readonly aws: DemoAws;
  readonly reach: AwsReach;
  /** CloudTrail's event history of the account, as the flows open it. */
  readonly openEvidence: OpenEvidence;
  readonly accountId: string;
  /** The config's entry of the account. */
  readonly inventory: readonly InventoryEntry[];
  /** IAM actions that sessions of the audit role asked for, without repeats, in order of name. */
  audited(): readonly string[];
  /** The same for the responder role. */
  responded(): readonly string[];
  close(): Promise<void>;
}

/** The story, machines in use, and two more things that its attacker made: a user and a role, so that both kinds are looked at. */
const story: Story = {
  name: 'story with identities made',
  load(stage) {
    s3Story.load(stage);
    addWebServers(stage);
    const { workshop } = stage.cast;
    addFleet(workshop, stage.now);
    const user = workshop.users.get('pipeline');
    if (user === undefined) throw new RangeError('the cast has no user pipeline');
    const { arn, id: principalId, name: userName } = user;
    const userIdentity = {
      type: 'IAMUser',
      principalId,
      arn,
      accountId: workshop.id,
      accessKeyId: pipelineKeyId,
      userName,
    };
    const actor = { accountId: workshop.id, userIdentity, sourceIp: '203.0.113.99', userAgent: 'aws-cli/2.2.1' };
    const call = {
      at: later(stage.now, -20 * 60_000),
      region: 'us-east-1',
      source: 'iam.amazonaws.com',
      readOnly: false,
    };
    const madeUser = {
      userName: 'JaneDoe',
      arn: `arn:aws:iam::${workshop.id}:user/JaneDoe`,
      userId: 'AIDAEXAMPLEJANEDOE00',
    };
    const madeRole = {
      roleName: 'DevOps',
      arn: `arn:aws:iam::${workshop.id}:role/DevOps`,
      roleId: 'AROAEXAMPLEDEVOPS000',
    };
    stage.record(
      recordOf(stage.random, actor, {
        ...call,
        name: 'CreateUser',
        request: { userName: 'JaneDoe' },
        response: { user: madeUser },
      }),
    );
    stage.record(
      recordOf(stage.random, actor, {
        ...call,
        name: 'CreateRole',
        request: { roleName: 'DevOps' },
        response: { role: madeRole },
      }),
    );
  },
};

function replaced<T>(list: T[], ...items: readonly T[]): void {
  list.splice(0, list.length, ...items);
}

/** One thing of each kind that is read by itself, so that every right is asked for: a stranger's, in a Region that nobody uses. */
function giveServices(aws: DemoAws): void {
  const { id } = aws.accounts.workshop;
  const services = aws.state.accounts.get(id)?.services;
  if (services === undefined) throw new RangeError('the cast has changed');
  const region = 'sa-east-1';
  const at = epoch(new Date(Date.now() - 7_200_000));
  const arn = (kind: string) => `arn:aws:sagemaker:${region}:${id}:${kind}/strange`;
  services.endpoints.push({
    ...{ region, machine: { InstanceType: 'ml.m5.large' }, many: 2 },
    shown: {
      ...{ EndpointName: 'strange', EndpointArn: arn('endpoint'), EndpointStatus: 'InService' },
      ...{ CreationTime: at, LastModifiedTime: at },
    },
  });
  services.trainingJobs.push({
    region,
    shown: {
      ...{ TrainingJobName: 'strange', TrainingJobArn: arn('training-job'), TrainingJobStatus: 'InProgress' },
      CreationTime: at,
    },
    more: { ResourceConfig: { InstanceType: 'ml.p3.2xlarge', InstanceCount: 3, VolumeSizeInGB: 50 } },
  });
  services.processingJobs.push({
    region,
    shown: {
      ...{ ProcessingJobName: 'strange', ProcessingJobArn: arn('processing-job'), ProcessingJobStatus: 'InProgress' },
      CreationTime: at,
    },
    more: {
      ProcessingResources: { ClusterConfig: { InstanceType: 'ml.c5.xlarge', InstanceCount: 1, VolumeSizeInGB: 5 } },
    },
  });
  services.lightsail.push({
    region,
    shown: {
      ...{ name: 'strange', arn: `arn:aws:lightsail:${region}:${id}:Instance/strange`, createdAt: at },
      ...{ bundleId: '2xlarge_3_0', blueprintId: 'ubuntu_24_04', state: { code: 16, name: 'running' } },
      hardware: { cpuCount: 8, ramSizeInGb: 32 },
    },
  });
}

/** What JaneDoe and the bystander hold beside the story: one credential of each kind, and a key that somebody has disabled. */
function giveCredentials(aws: DemoAws): void {
  const users = aws.state.accounts.get(aws.accounts.workshop.id)?.users;
  const [jane, reporting] = [users?.get('JaneDoe'), users?.get('reporting')];
  if (jane === undefined || reporting === undefined) throw new RangeError('the cast has changed');
  const createDate = new Date(Date.now() - 3_600_000);
  const shown = { ServiceName: 'codecommit.amazonaws.com', ServiceUserName: 'JaneDoe-at-999999999999' };
  jane.otherCredentials.push(
    { id: 'ACCAEXAMPLEJANEDOE01', kind: 'serviceSpecific', createDate, shown, status: 'Active' },
    { id: 'ACCAEXAMPLEJANEDOE02', kind: 'serviceSpecific', createDate, shown, status: 'Inactive' },
    { id: 'APKAEXAMPLEJANEDOE01', kind: 'sshKey', createDate, shown: {}, status: 'Active' },
    { id: 'ASCAEXAMPLEJANEDOE01', kind: 'certificate', createDate, shown: {}, status: 'Active' },
  );
  const [key] = reporting.keys;
  if (key === undefined) throw new RangeError('the cast has changed');
  const off = { status: 'Inactive' as const, at: createDate };
  jane.keys.push({ ...key, id: 'AKIAI44QH7DHBEXAMPLE', history: [off] });
  jane.attachedPolicies.push({ name: 'Own', arn: 'arn:aws:iam::999999999999:policy/Own', document: { Statement: [] } });
  jane.inlinePolicies.push({ name: 'Notes', document: { Statement: [] } });
}

/** Sets the documented policies: the only rights that this account gives. */
export function setDocumentedRights(aws: DemoAws): void {
  const { hub, workshop } = aws.accounts;
  const account = aws.state.accounts.get(workshop.id);
  const base = [...(aws.state.accounts.get(hub.id)?.users.values() ?? [])].find((user) =>
    user.keys.some((key) => key.id === aws.credentials.hub.accessKeyId),
  );
  const roleOf = (arn: string): Role | undefined =>
    [...(account?.roles.values() ?? [])].find((role) => role.arn === arn);
  const audit = roleOf(workshop.auditRole);
  const responder = roleOf(workshop.responderRole);
  if (base === undefined || audit === undefined || responder === undefined)
    throw new RangeError('the cast has changed');
  replaced(audit.policies, { name: 'documented', document: auditPolicy() });
  replaced(responder.policies, { name: 'documented', document: responderPolicy(workshop.id, 'aws') });
  audit.trust = auditTrust(base.arn, workshop.externalId);
  responder.trust = responderTrust(base.arn, workshop.externalId);
  replaced(
    base.inlinePolicies,
    { name: 'worker', document: workerPolicy(audit.arn) },
    { name: 'executor', document: executorPolicy(responder.arn) },
  );
}

/** Starts the account. Sets the SDK's environment variables of this process, which tests have to themselves. */
export async function openWatchedAccount(): Promise<WatchedAccount> {
  const aws = await startDemoAws({ story, backgroundEvents: 20, lookupRatePerSecond: 10_000 });
  setDocumentedRights(aws);
  giveCredentials(aws);
  giveServices(aws);
  for (const finding of storyFindings(new Date()).mining) aws.addFinding(finding);
  const { hub } = aws.credentials;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: hub.accessKeyId,
    AWS_SECRET_ACCESS_KEY: hub.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const { id, name, auditRole, responderRole, externalId } = aws.accounts.workshop;
  const accounts = [{ id, name, auditRole, responderRole, externalId }];
  const reach = openReach({ accounts, regions: [], region: 'us-east-1', log: quietLog });
  const asked = (role: string) => {
    const session = `:assumed-role/${role.split('/').at(-1)}/`;
    return [
      ...new Set(
        aws.calls
          .filter((call) => call.principalArn?.includes(session))
          // What is made with tags asks for the right to tag too.
          .flatMap(({ action, input }) =>
            input.TagSpecification === undefined ? [action] : [action, 'ec2:CreateTags'],
          ),
      ),
    ].sort();
  };
  return {
    aws,
    reach,
    openEvidence: ({ window, maxRequests, maxEvents, signal }) =>
      Promise.resolve(
        openLookupEvidence({
          reach,
          accounts: [id],
          regions: ['us-east-1'],
          window,
          budget: { maxRequests, maxEvents },
          reserveSlot: () => Promise.resolve(0),
          clock: systemClock,
          signal,
          log: quietLog,
        }),
      ),
    accountId: id,
    inventory: accounts,
    audited: () => asked(auditRole),
    responded: () => asked(responderRole),
    close: () => aws.close(),
  };
}
