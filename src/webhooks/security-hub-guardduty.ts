/** A GuardDuty finding that came through Security Hub, put back into GuardDuty's own form as far as the copy allows. */
import { type Asff, severityOfLabel } from './asff.ts';
import { isRecord, type Json } from './clean-json.ts';

export const guardDutyArn =
  /^arn:aws[a-z-]*:guardduty:[a-z0-9-]+:\d{12}:detector\/[^/\s]{1,64}\/finding\/[^/\s]{1,128}$/;

const servicePrefix = 'aws/guardduty/service/';
const mostFields = 500;

/** `TTPs/Command and Control/CryptoCurrency:EC2-BitcoinTool.B!DNS` is `CryptoCurrency:EC2/BitcoinTool.B!DNS`. */
export function guardDutyType(types: readonly (string | undefined)[]): string | undefined {
  for (const type of types) {
    const parts = /(?:^|\/)([A-Za-z]+:[A-Za-z0-9]+)[-/]([^/\s].*)$/.exec(type ?? '');
    if (parts !== null) return `${parts[1]}/${parts[2]}`;
  }
  return undefined;
}

/** ProductFields hold the finding's `service` with flattened paths: `.../action/awsApiCallAction/api`, lists as `name.0_`. */
function serviceOf(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(fields).slice(0, mostFields)) {
    if (!path.startsWith(servicePrefix)) continue;
    const steps = path.slice(servicePrefix.length).split('/');
    const last = steps.pop();
    if (last === undefined || steps.length > 12) continue;
    let at = root;
    for (const step of steps) {
      // Only the first entry of a list is kept: it is enough for a card, and the original follows.
      const name = step.replace(/[.:]\d+_?$/, '');
      if (!Object.hasOwn(at, name) || typeof at[name] !== 'object') {
        Object.defineProperty(at, name, { value: {}, enumerable: true, configurable: true, writable: true });
      }
      at = at[name] as Record<string, unknown>;
    }
    Object.defineProperty(at, last.replace(/[.:]\d+_?$/, ''), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return root;
}

type Resource = Asff['resources'][number];

/** GuardDuty's block for a resource of the copy. */
function resourceOf(resources: readonly Resource[]): Record<string, unknown> {
  const resource: Record<string, unknown> = {};
  for (const { type, id, details } of resources) {
    const last = id?.split(/[/:]/).at(-1);
    if (type === 'AwsEc2Instance') {
      resource.instanceDetails ??= { instanceId: last };
      resource.resourceType ??= 'Instance';
    } else if (type === 'AwsIamAccessKey') {
      const key = details?.awsIamAccessKey;
      resource.accessKeyDetails ??= {
        accessKeyId: key?.accessKeyId ?? last,
        principalId: key?.principalId,
        userName: key?.principalName ?? key?.userName,
        userType: key?.principalType,
      };
      // The key says who acted; the instance or bucket beside it, what it was about.
      resource.resourceType ??= 'AccessKey';
    } else if (type === 'AwsS3Bucket') {
      resource.s3BucketDetails ??= [{ arn: id, name: last }];
      resource.resourceType = 'S3Bucket';
    } else if (type === 'AwsEksCluster') {
      resource.eksClusterDetails ??= { arn: id, name: last };
      resource.resourceType ??= 'EKSCluster';
    } else if (type === 'AwsLambdaFunction') {
      resource.lambdaDetails ??= { functionArn: id, functionName: last };
      resource.resourceType ??= 'Lambda';
    } else if (type === 'AwsRdsDbInstance') {
      resource.rdsDbInstanceDetails ??= { dbInstanceArn: id, dbInstanceIdentifier: last };
      resource.resourceType ??= 'RDSDBInstance';
    }
  }
  return resource;
}

/** Security Hub spells a sequence like GuardDuty, but for the ids of signals and actors. */
function sequenceOf(detection: unknown): unknown {
  const sequence = isRecord(detection as Json) ? (detection as { readonly sequence?: Json }).sequence : undefined;
  if (!isRecord(sequence)) return undefined;
  const signals = Array.isArray(sequence.signals) ? sequence.signals : [];
  return {
    ...sequence,
    signals: signals.map((signal) =>
      isRecord(signal) ? { uid: signal.id, name: signal.title, type: signal.type, ...signal } : signal,
    ),
  };
}

/** The `detail` of the finding. */
export function guardDutyDetail(finding: Asff, arn: string): Record<string, unknown> {
  const told = guardDutyType(finding.types) ?? guardDutyType(finding.findingProviderFields?.types ?? []);
  const type = told ?? finding.types[0] ?? 'not named';
  const [, partition, , region, account, resource = ''] = arn.split(':');
  const service = serviceOf(finding.productFields ?? {});
  const sequence = sequenceOf(finding.detection);
  const original = Number(finding.severity?.original ?? finding.severity?.product);
  const severity =
    original >= 1 && original <= 10 ? original : severityOfLabel(finding.severity?.label, finding.severity?.normalized);
  return {
    id: resource.split('/').at(-1),
    arn,
    type,
    severity,
    accountId: finding.awsAccountId ?? account,
    region,
    partition,
    title: finding.title,
    description: finding.description,
    createdAt: finding.createdAt,
    updatedAt: finding.updatedAt,
    resource: sequence === undefined ? resourceOf(finding.resources) : { resourceType: 'AttackSequence' },
    service: {
      ...service,
      eventFirstSeen: service.eventFirstSeen ?? finding.firstObservedAt,
      eventLastSeen: service.eventLastSeen ?? finding.lastObservedAt,
      ...(finding.action !== undefined && { action: finding.action }),
      ...(sequence !== undefined && { detection: { sequence } }),
    },
  };
}
