/** Amazon EC2: the writes. */
import { asTrail, clientError, reservationShape } from './ec2-shape.ts';
import type { Input } from './protocols.ts';
import { type Call, type Operation, type Outcome, text } from './service.ts';
import type { Instance } from './state.ts';

/** A dry run ends in an error that says that it would have worked. Call it after the permission was asked. */
export function endDryRun(call: Call): void {
  if (text(call.input, 'DryRun') !== 'true') return;
  throw clientError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
}

function runInstances(call: Call): Outcome {
  const { input, region, random } = call;
  const { account } = call.principal;
  const imageId = text(input, 'ImageId') ?? '';
  call.may('ec2:RunInstances', `arn:aws:ec2:${region}:${account.id}:instance/*`);
  call.may('ec2:RunInstances', `arn:aws:ec2:${region}::image/${imageId}`);
  if (!/^ami-[0-9a-f]{8,17}$/.test(imageId)) {
    throw clientError('InvalidAMIID.Malformed', `Invalid id: "${imageId}" (expecting "ami-...")`);
  }
  const count = Number(text(input, 'MaxCount') ?? '1');
  if (!Number.isInteger(count) || count < 1 || count < Number(text(input, 'MinCount') ?? '1')) {
    throw clientError('InvalidParameterValue', 'Value for parameter minCount or maxCount is invalid.');
  }
  if (count > 64) throw clientError('InstanceLimitExceeded', `Your quota allows for 0 more running instance(s).`);
  endDryRun(call);
  const userData = text(input, 'UserData');
  const reservationId = `r-${random.hex(17)}`;
  const clientToken = text(input, 'ClientToken') ?? random.uuid();
  const made: Instance[] = Array.from({ length: count }, (_, launchIndex) => ({
    id: `i-${random.hex(17)}`,
    region,
    reservationId,
    imageId,
    type: text(input, 'InstanceType') ?? 'm1.small',
    launchTime: new Date(Math.floor(call.now.getTime() / 1000) * 1000),
    availabilityZone: `${region}a`,
    subnetId: text(input, 'SubnetId') ?? 'subnet-0f6cbe2de726b03fc',
    vpcId: 'vpc-0f7b220f37f9c9e31',
    privateIp: `192.168.${random.below(4)}.${4 + random.below(250)}`,
    securityGroup: { id: 'sg-050c333b86822c1f1', name: 'default' },
    networkInterfaceId: `eni-${random.hex(17)}`,
    macAddress: `02:${[1, 2, 3, 4, 5].map(() => random.hex(2)).join(':')}`,
    clientToken,
    launchIndex,
    ...(userData === undefined ? {} : { userData }),
    tags: [],
    state: 'pending',
  }));
  account.instances.push(...made);
  const output = reservationShape(made, account.id);
  const trailed = asTrail(output) as Readonly<Record<string, unknown>>;
  return { output, responseElements: { requestId: call.requestId, ...trailed } };
}

/** CloudTrail's form of a RunInstances request: user data is not kept. */
function runParameters(input: Input): Readonly<Record<string, unknown>> {
  const [minCount, maxCount] = [Number(text(input, 'MinCount')), Number(text(input, 'MaxCount'))];
  return {
    instancesSet: { items: [{ imageId: text(input, 'ImageId'), minCount, maxCount }] },
    ...(text(input, 'UserData') === undefined ? {} : { userData: '<sensitiveDataRemoved>' }),
    instanceType: text(input, 'InstanceType'),
    blockDeviceMapping: {},
    monitoring: { enabled: false },
    subnetId: text(input, 'SubnetId'),
    disableApiTermination: false,
    disableApiStop: false,
    clientToken: text(input, 'ClientToken'),
  };
}

export const ec2Writes: Readonly<Record<string, Operation>> = {
  RunInstances: { readOnly: false, parameters: runParameters, run: runInstances },
};
