/** The GuardDuty findings of the story, as EventBridge delivers them (camelCase detail). */
import { createHash } from 'node:crypto';
import { uniqueId } from './ids.ts';
import {
  launchedAt,
  type MinerMachine,
  minerDomain,
  minerImage,
  minerMachines,
  noticedInstances,
} from './stories/s3.ts';
import { pipelineKeyId, sharedIp, workshopId } from './world.ts';

interface GuardDutyEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'GuardDuty Finding';
  readonly source: 'aws.guardduty';
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface StoryFindings {
  /** BitcoinTool.B!DNS of two instances, then BitcoinTool.B of the other two. */
  readonly mining: readonly GuardDutyEvent[];
  /** The call by key AKIAIOSFODNN7EXAMPLE from a listed address: names the key, so that it can be contained. */
  readonly accessKey: GuardDutyEvent;
  /** `accessKey` again, count 2 and half a minute later. */
  readonly accessKeyUpdate: GuardDutyEvent;
  readonly sample: GuardDutyEvent;
  /** A type that no catalogue knows. */
  readonly unknownType: GuardDutyEvent;
}

const region = 'us-east-1';
export const detectorId = '4cbd0f7a1e2d3c4b5a69788766554433';

interface Subject {
  readonly type: string;
  readonly severity: number;
  readonly title: string;
  readonly description: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly service: Readonly<Record<string, unknown>>;
  readonly firstSeen: Date;
  readonly updatedAt: Date;
  readonly count?: number;
  /** Tells findings of one type apart. */
  readonly about: string;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function uuidOf(text: string): string {
  const hex = hash(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function envelope(subject: Subject): GuardDutyEvent {
  const { type, updatedAt, firstSeen, count = 1 } = subject;
  const id = hash(`${type} ${subject.about} ${firstSeen.toISOString()}`);
  return {
    version: '0',
    id: uuidOf(`${id} ${count}`),
    'detail-type': 'GuardDuty Finding',
    source: 'aws.guardduty',
    account: workshopId,
    time: `${updatedAt.toISOString().slice(0, 19)}Z`,
    region,
    resources: [],
    detail: {
      schemaVersion: '2.0',
      accountId: workshopId,
      region,
      partition: 'aws',
      id,
      arn: `arn:aws:guardduty:${region}:${workshopId}:detector/${detectorId}/finding/${id}`,
      type,
      resource: subject.resource,
      service: {
        serviceName: 'guardduty',
        detectorId,
        ...subject.service,
        eventFirstSeen: firstSeen.toISOString(),
        eventLastSeen: updatedAt.toISOString(),
        archived: false,
        count,
      },
      severity: subject.severity,
      createdAt: new Date(firstSeen.getTime() + 240_000).toISOString(),
      updatedAt: updatedAt.toISOString(),
      title: subject.title,
      description: subject.description,
    },
  };
}

function instanceResource(machine: MinerMachine, launchTime: Date) {
  const { privateIp } = machine;
  const privateDnsName = `ip-${privateIp.replaceAll('.', '-')}.ec2.internal`;
  return {
    resourceType: 'Instance',
    instanceDetails: {
      instanceId: machine.id,
      instanceType: 't2.nano',
      launchTime: `${launchTime.toISOString().slice(0, 19)}Z`,
      platform: null,
      productCodes: [],
      iamInstanceProfile: null,
      networkInterfaces: [
        {
          ipv6Addresses: [],
          networkInterfaceId: machine.networkInterfaceId,
          privateDnsName,
          privateIpAddress: privateIp,
          privateIpAddresses: [{ privateDnsName, privateIpAddress: privateIp }],
          subnetId: machine.subnetId,
          vpcId: 'vpc-0f7b220f37f9c9e31',
          securityGroups: [{ groupName: 'default', groupId: 'sg-050c333b86822c1f1' }],
          publicDnsName: '',
          publicIp: '198.51.100.140',
        },
      ],
      outpostArn: null,
      tags: [],
      instanceState: 'running',
      availabilityZone: machine.availabilityZone,
      imageId: minerImage,
      imageDescription: 'Amazon Linux 2 AMI 2.0.20210721.2 x86_64 HVM gp2',
    },
  };
}

function remote(ip: string, country: string, asn: string, organization: string) {
  return {
    ipAddressV4: ip,
    organization: { asn, asnOrg: organization, isp: organization, org: organization },
    country: { countryName: country },
    city: { cityName: '' },
    geoLocation: { lat: 0, lon: 0 },
  };
}

function dnsFinding(machine: MinerMachine, launched: Date): GuardDutyEvent {
  return envelope({
    type: 'CryptoCurrency:EC2/BitcoinTool.B!DNS',
    severity: 8,
    title: 'Bitcoin-related domain name queried by EC2 instance.',
    description: `EC2 instance ${machine.id} is querying a domain name that is associated with Bitcoin-related activity.`,
    resource: instanceResource(machine, launched),
    service: {
      action: {
        actionType: 'DNS_REQUEST',
        dnsRequestAction: {
          domain: minerDomain,
          protocol: 'UDP',
          blocked: false,
          domainWithSuffix: 'minergate.example',
        },
      },
      resourceRole: 'TARGET',
      additionalInfo: { threatListName: 'ProofPoint', value: '{"threatListName":"ProofPoint"}', type: 'default' },
      evidence: { threatIntelligenceDetails: [{ threatListName: 'ProofPoint', threatNames: [] }] },
      featureName: 'DnsLogs',
    },
    firstSeen: new Date(launched.getTime() + 180_000),
    updatedAt: new Date(launched.getTime() + 600_000),
    about: machine.id,
  });
}

function connectionFinding(machine: MinerMachine, launched: Date): GuardDutyEvent {
  return envelope({
    type: 'CryptoCurrency:EC2/BitcoinTool.B',
    severity: 8,
    title: 'EC2 instance is communicating with an IP address associated with Bitcoin activity.',
    description: `EC2 instance ${machine.id} is communicating with IP address 198.51.100.77 that is associated with Bitcoin-related activity.`,
    resource: instanceResource(machine, launched),
    service: {
      action: {
        actionType: 'NETWORK_CONNECTION',
        networkConnectionAction: {
          connectionDirection: 'OUTBOUND',
          localIpDetails: { ipAddressV4: machine.privateIp },
          remoteIpDetails: remote('198.51.100.77', 'Netherlands', '64501', 'Example Hosting'),
          remotePortDetails: { port: 3333, portName: 'Unknown' },
          localPortDetails: { port: 49_152, portName: 'Unknown' },
          protocol: 'TCP',
          blocked: false,
        },
      },
      // The instance acts: the remote address is the pool, not the intruder.
      resourceRole: 'ACTOR',
      additionalInfo: { threatListName: 'ProofPoint', value: '{"threatListName":"ProofPoint"}', type: 'default' },
      evidence: { threatIntelligenceDetails: [{ threatListName: 'ProofPoint', threatNames: [] }] },
      featureName: 'FlowLogs',
    },
    firstSeen: new Date(launched.getTime() + 200_000),
    updatedAt: new Date(launched.getTime() + 660_000),
    about: machine.id,
  });
}

function accessKeyFinding(first: Date, updatedAt: Date, count: number): GuardDutyEvent {
  const principalId = uniqueId('AIDA', workshopId, 'pipeline');
  return envelope({
    type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
    severity: 5,
    title: 'An API was invoked from an IP address on a custom threat list.',
    description: `API RunInstances was invoked from an IP address ${sharedIp} on the custom threat list partner-feed.`,
    resource: {
      resourceType: 'AccessKey',
      accessKeyDetails: { accessKeyId: pipelineKeyId, principalId, userType: 'IAMUser', userName: 'pipeline' },
    },
    service: {
      action: {
        actionType: 'AWS_API_CALL',
        awsApiCallAction: {
          api: 'RunInstances',
          serviceName: 'ec2.amazonaws.com',
          callerType: 'Remote IP',
          userAgent: 'aws-cli/2.2.1 Python/3.8.8 Darwin/20.5.0 exe/x86_64 prompt/off command/ec2.run-instances',
          remoteIpDetails: remote(sharedIp, 'Germany', '64500', 'Example Access Network'),
          affectedResources: {},
        },
      },
      resourceRole: 'TARGET',
      additionalInfo: { threatListName: 'partner-feed', value: '{"threatListName":"partner-feed"}', type: 'default' },
      evidence: { threatIntelligenceDetails: [{ threatListName: 'partner-feed', threatNames: [] }] },
      featureName: 'CloudTrail',
    },
    firstSeen: first,
    updatedAt,
    count,
    about: pipelineKeyId,
  });
}

/** The findings of a world whose story was loaded at `now`. */
export function storyFindings(now: Date): StoryFindings {
  const noticed = minerMachines().filter((machine) => noticedInstances.some((id) => id === machine.id));
  const mining = noticed.map((machine, index) => {
    const build = index < 2 ? dnsFinding : connectionFinding;
    return build(machine, launchedAt(now, machine.launch));
  });
  const first = launchedAt(now, 0);
  const [one] = noticed;
  if (one === undefined) throw new RangeError('the story has no machine with a finding');
  const sample = dnsFinding({ ...one, id: 'i-99999999' }, first);
  const unknown = dnsFinding(one, first);
  const unknownId = hash('unknown type');
  return {
    mining,
    accessKey: accessKeyFinding(first, new Date(first.getTime() + 300_000), 1),
    accessKeyUpdate: accessKeyFinding(first, new Date(first.getTime() + 330_000), 2),
    sample: {
      ...sample,
      detail: {
        ...sample.detail,
        title: '[SAMPLE] Bitcoin-related domain name queried by EC2 instance.',
        service: {
          ...(sample.detail.service as Readonly<Record<string, unknown>>),
          additionalInfo: { sample: true, threatListName: 'GeneratedFindingThreatListName' },
        },
      },
    },
    unknownType: {
      ...unknown,
      id: uuidOf('unknown type'),
      detail: {
        ...unknown.detail,
        id: unknownId,
        arn: `arn:aws:guardduty:${region}:${workshopId}:detector/${detectorId}/finding/${unknownId}`,
        type: 'Sabotage:Quantum/EntangledPair.Odd!Qubit',
        title: 'An entangled pair behaved oddly.',
      },
    },
  };
}
