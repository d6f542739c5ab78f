/** Amazon EC2: the writes. */
import { asTrail, clientError, reservationShape, settle, stateShape } from './ec2-shape.ts';
import type { Input } from './protocols.ts';
import { type Call, type Operation, type Outcome, text, texts } from './service.ts';
import type { Instance, InstanceState } from './state.ts';

/** A dry run ends in an error that says that it would have worked. Call it after the permission was asked. */
function endDryRun(call: Call): void {
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

function changeState(call: Call, passing: InstanceState, done: readonly InstanceState[]): Outcome {
  const { account } = call.principal;
  const ids = texts(call.input, 'InstanceId');
  for (const id of ids) call.may(`ec2:${call.operation}`, `arn:aws:ec2:${call.region}:${account.id}:instance/${id}`);
  const found = ids.map((id) => {
    const instance = account.instances.find((one) => one.id === id && one.region === call.region);
    if (instance !== undefined) return instance;
    throw clientError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  });
  endDryRun(call);
  const instancesSet = found.map((instance) => {
    settle(instance);
    const previousState = stateShape(instance.state);
    if (passing === 'stopping' && instance.state === 'terminated') {
      const message = `The instance '${instance.id}' is not in a state from which it can be stopped.`;
      throw clientError('IncorrectInstanceState', message);
    }
    if (!done.includes(instance.state)) instance.state = passing;
    return { instanceId: instance.id, currentState: stateShape(instance.state), previousState };
  });
  const output = { instancesSet };
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

function stateParameters(input: Input): Readonly<Record<string, unknown>> {
  return { instancesSet: { items: texts(input, 'InstanceId').map((instanceId) => ({ instanceId })) } };
}

export const ec2Writes: Readonly<Record<string, Operation>> = {
  RunInstances: { readOnly: false, parameters: runParameters, run: runInstances },
  StopInstances: {
    readOnly: false,
    parameters: stateParameters,
    run: (call) => changeState(call, 'stopping', ['stopped']),
  },
  TerminateInstances: {
    readOnly: false,
    parameters: stateParameters,
    run: (call) => changeState(call, 'shutting-down', ['terminated']),
  },
};
