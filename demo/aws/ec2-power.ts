/** Amazon EC2: starting, stopping and terminating, and what protects against it. */
import { arnOf, filtered } from './ec2-network-reads.ts';
import { asTrail, clientError, settle, stateShape } from './ec2-shape.ts';
import { endDryRun } from './ec2-writes.ts';
import type { Input } from './protocols.ts';
import { type Call, type Operation, type Outcome, text, texts } from './service.ts';
import type { Instance, InstanceState } from './state.ts';

/** The instance, once the caller may do this to it. */
function instanceOf(call: Call, id: string): Instance {
  call.may(`ec2:${call.operation}`, arnOf(call, 'instance', id));
  const found = call.principal.account.instances.find((one) => one.id === id && one.region === call.region);
  if (found === undefined) {
    throw clientError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  }
  return found;
}

function notPermitted(id: string, verb: string, attribute: string): Error {
  return clientError(
    'OperationNotPermitted',
    `The instance '${id}' may not be ${verb}. Modify its '${attribute}' instance attribute and try again.`,
  );
}

/** Throws where this instance cannot be put on its way there. */
type Check = (instance: Instance) => void;

const checks: Readonly<Record<'stopping' | 'pending' | 'shutting-down', Check>> = {
  stopping({ id, state, spot, protection }) {
    if (state === 'terminated' || state === 'shutting-down') {
      const message = `The instance '${id}' is not in a state from which it can be stopped.`;
      throw clientError('IncorrectInstanceState', message);
    }
    if (spot?.type === 'one-time') {
      const message = `You can't stop the Spot Instance '${id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.`;
      throw clientError('UnsupportedOperation', message);
    }
    if (protection?.stop === true) throw notPermitted(id, 'stopped', 'disableApiStop');
  },
  pending({ id, state }) {
    if (['stopped', 'running', 'pending'].includes(state)) return;
    const message = `The instance '${id}' is not in a state from which it can be started.`;
    throw clientError('IncorrectInstanceState', message);
  },
  'shutting-down'({ id, protection }) {
    if (protection?.termination === true) throw notPermitted(id, 'terminated', 'disableApiTermination');
    if (protection?.stop === true) throw notPermitted(id, 'terminated', 'disableApiStop');
  },
};

function changeState(passing: keyof typeof checks, done: readonly InstanceState[]) {
  return (call: Call): Outcome => {
    const found = texts(call.input, 'InstanceId').map((id) => instanceOf(call, id));
    endDryRun(call);
    const instancesSet = found.map((instance) => {
      settle(instance);
      const previousState = stateShape(instance.state);
      checks[passing](instance);
      if (!done.includes(instance.state)) instance.state = passing;
      return { instanceId: instance.id, currentState: stateShape(instance.state), previousState };
    });
    const output = { instancesSet };
    return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
  };
}

/** InstanceInitiatedShutdownBehavior, where the call is about it. */
function setShutdown(instance: Instance, input: Input): boolean {
  if (input.InstanceInitiatedShutdownBehavior === undefined) return false;
  if (input.DisableApiStop !== undefined || input.DisableApiTermination !== undefined) {
    throw clientError('InvalidParameterCombination', 'Fields for multiple attribute types specified.');
  }
  const shutdown = text(input.InstanceInitiatedShutdownBehavior as Input, 'Value') ?? '';
  if (shutdown !== 'stop' && shutdown !== 'terminate') {
    const message = `Invalid value '${shutdown}' for InstanceInitiatedShutdownBehavior.`;
    throw clientError('InvalidParameterValue', message);
  }
  Object.assign(instance, { evidence: { ...instance.evidence, shutdown } });
  return true;
}

function modifyInstanceAttribute(call: Call): Outcome {
  const instance = instanceOf(call, text(call.input, 'InstanceId') ?? '');
  if (setShutdown(instance, call.input)) {
    return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
  }
  const names = { DisableApiStop: 'stop', DisableApiTermination: 'termination' } as const;
  const known = Object.entries(names).filter(([name]) => call.input[name] !== undefined);
  if (known.length !== 1) {
    throw clientError('InvalidParameterCombination', 'Fields for multiple attribute types specified, or none known.');
  }
  for (const [name, field] of known) {
    if (instance.spot !== undefined) {
      throw clientError('UnsupportedOperation', `The attribute ${name} cannot be modified for Spot Instances.`);
    }
    const value = text((call.input[name] ?? {}) as Input, 'Value') === 'true';
    Object.assign(instance, {
      protection: { stop: false, termination: false, ...instance.protection, [field]: value },
    });
  }
  return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
}

function describeSpotRequests(call: Call): Outcome {
  call.may('ec2:DescribeSpotInstanceRequests');
  const ids = texts(call.input, 'SpotInstanceRequestId');
  const all = call.principal.account.instances
    .filter((instance) => instance.region === call.region)
    .flatMap(({ id, spot, type, launchTime }) =>
      spot === undefined ? [] : [{ instanceId: id, instanceType: type, launchTime, ...spot }],
    );
  const missing = ids.find((id) => !all.some(({ requestId }) => requestId === id));
  if (missing !== undefined) {
    const message = `The spot instance request ID '${missing}' does not exist`;
    throw clientError('InvalidSpotInstanceRequestID.NotFound', message);
  }
  const chosen = filtered(call, all, (one, filter) => {
    const fields: Readonly<Record<string, string>> = {
      'instance-id': one.instanceId,
      'spot-instance-request-id': one.requestId,
      state: one.requestState,
    };
    return fields[filter] === undefined ? undefined : [fields[filter]];
  });
  const spotInstanceRequestSet = chosen
    .filter(({ requestId }) => ids.length === 0 || ids.includes(requestId))
    .map(({ instanceId, instanceType, launchTime, requestId, type, requestState }) => ({
      ...{ spotInstanceRequestId: requestId, instanceId, type, state: requestState, createTime: launchTime },
      launchSpecification: { instanceType },
      status: { code: requestState === 'active' ? 'fulfilled' : 'request-canceled-and-instance-running' },
    }));
  return { output: { spotInstanceRequestSet } };
}

function cancelSpotRequests(call: Call): Outcome {
  const ids = texts(call.input, 'SpotInstanceRequestId');
  for (const id of ids) call.may('ec2:CancelSpotInstanceRequests', arnOf(call, 'spot-instances-request', id));
  const spotInstanceRequestSet = ids.map((id) => {
    const spot = call.principal.account.instances.find((instance) => instance.spot?.requestId === id)?.spot;
    if (spot === undefined) {
      throw clientError('InvalidSpotInstanceRequestID.NotFound', `The spot instance request ID '${id}' does not exist`);
    }
    spot.requestState = 'cancelled';
    return { spotInstanceRequestId: id, state: 'cancelled' };
  });
  const output = { spotInstanceRequestSet };
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

/** Types with disks of their own, whose data goes with the machine. */
const withInstanceStore = /^(?:[a-z]+\d[a-z]*d[a-z]*|i\d\w*|d\d\w*|x1e?)\./;

function describeInstanceTypes(call: Call): Outcome {
  call.may('ec2:DescribeInstanceTypes');
  const instanceTypeSet = texts(call.input, 'InstanceType').map((instanceType) => ({
    instanceType,
    instanceStorageSupported: withInstanceStore.test(instanceType),
    ...(withInstanceStore.test(instanceType) ? { instanceStorageInfo: { totalSizeInGB: 150 } } : {}),
  }));
  return { output: { instanceTypeSet } };
}

function stateParameters(input: Input): Readonly<Record<string, unknown>> {
  return { instancesSet: { items: texts(input, 'InstanceId').map((instanceId) => ({ instanceId })) } };
}

function attributeParameters(input: Input): Readonly<Record<string, unknown>> {
  const changed = Object.entries(input).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? [
          [
            `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
            { value: text(value as Input, 'Value') === 'true' },
          ] as const,
        ]
      : [],
  );
  return { instanceId: text(input, 'InstanceId'), ...Object.fromEntries(changed) };
}

export const powerReads: Readonly<Record<string, Operation>> = {
  DescribeInstanceTypes: { readOnly: true, run: describeInstanceTypes },
  DescribeSpotInstanceRequests: { readOnly: true, run: describeSpotRequests },
};

export const powerWrites: Readonly<Record<string, Operation>> = {
  StartInstances: { readOnly: false, parameters: stateParameters, run: changeState('pending', ['running', 'pending']) },
  StopInstances: { readOnly: false, parameters: stateParameters, run: changeState('stopping', ['stopped']) },
  TerminateInstances: {
    readOnly: false,
    parameters: stateParameters,
    run: changeState('shutting-down', ['terminated']),
  },
  ModifyInstanceAttribute: { readOnly: false, parameters: attributeParameters, run: modifyInstanceAttribute },
  CancelSpotInstanceRequests: { readOnly: false, run: cancelSpotRequests },
};
