/** Amazon EC2: instance profiles put on machines and taken off, and the options of their metadata. */
import { arnOf, filtered } from './ec2-network-reads.ts';
import { asTrail, clientError, metadataShape, profileShape } from './ec2-shape.ts';
import { endDryRun } from './ec2-writes.ts';
import { type Association, associationOf, instanceNamed, roleOfProfile } from './evidence.ts';
import type { Input } from './protocols.ts';
import { type Call, type Operation, type Outcome, text, texts } from './service.ts';
import type { Instance } from './state.ts';

function shapeOf(instance: Instance, association: Association, state: string) {
  return {
    associationId: association.id,
    instanceId: instance.id,
    iamInstanceProfile: profileShape(association),
    state,
  };
}

function outcomeOf(iamInstanceProfileAssociation: ReturnType<typeof shapeOf>): Outcome {
  const output = { iamInstanceProfileAssociation };
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

function instanceOf(call: Call): Instance {
  const id = text(call.input, 'InstanceId') ?? '';
  call.may(`ec2:${call.operation}`, arnOf(call, 'instance', id));
  const found = instanceNamed(call.principal.account, call.region, id);
  if (found !== undefined) return found;
  throw clientError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
}

function describeAssociations(call: Call): Outcome {
  call.may('ec2:DescribeIamInstanceProfileAssociations');
  const ids = texts(call.input, 'AssociationId');
  const here = call.principal.account.instances
    .filter(({ region, state }) => region === call.region && state !== 'terminated')
    .flatMap((instance) => {
      const association = associationOf(instance);
      return association === undefined ? [] : [{ instance, association }];
    })
    .filter(({ association }) => ids.length === 0 || ids.includes(association.id));
  const chosen = filtered(call, here, ({ instance }, filter) => {
    if (filter === 'instance-id') return [instance.id];
    return filter === 'state' ? ['associated'] : undefined;
  });
  const iamInstanceProfileAssociationSet = chosen.map(({ instance, association }) =>
    shapeOf(instance, association, 'associated'),
  );
  return { output: { iamInstanceProfileAssociationSet } };
}

function disassociate(call: Call): Outcome {
  const id = text(call.input, 'AssociationId') ?? '';
  const { account } = call.principal;
  const instance = account.instances.find(
    (one) => one.region === call.region && associationOf(one)?.id === id && one.state !== 'terminated',
  );
  call.may('ec2:DisassociateIamInstanceProfile', arnOf(call, 'instance', instance?.id ?? '*'));
  const association = instance && associationOf(instance);
  if (instance === undefined || association === undefined) {
    throw clientError('NoSuchAssociation', `An invalid association-id of '${id}' was given`);
  }
  endDryRun(call);
  instance.association = undefined;
  return outcomeOf(shapeOf(instance, association, 'disassociating'));
}

/** The right to give the role away is asked for too, and for which service. */
function associate(call: Call): Outcome {
  const instance = instanceOf(call);
  const { account } = call.principal;
  const profile = (call.input.IamInstanceProfile ?? {}) as Input;
  const name = text(profile, 'Name');
  const profileArn = text(profile, 'Arn') ?? `arn:aws:iam::${account.id}:instance-profile/${name}`;
  const role = roleOfProfile(account, profileArn);
  if (role === undefined) {
    const message = `Value (${profileArn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN`;
    throw clientError('InvalidParameterValue', message);
  }
  call.may('iam:PassRole', role.arn, undefined, { 'iam:passedtoservice': ['ec2.amazonaws.com'] });
  if (associationOf(instance) !== undefined) {
    const message = `There is an existing association for instance ${instance.id}`;
    throw clientError('IncorrectState', message);
  }
  endDryRun(call);
  instance.association = { id: `iip-assoc-${call.random.hex(17)}`, profileArn };
  return outcomeOf(shapeOf(instance, instance.association, 'associating'));
}

function modifyMetadata(call: Call): Outcome {
  const instance = instanceOf(call);
  const now = metadataShape(instance);
  const tokens = text(call.input, 'HttpTokens') ?? now.httpTokens;
  const hops = Number(text(call.input, 'HttpPutResponseHopLimit') ?? now.httpPutResponseHopLimit);
  if (!['optional', 'required'].includes(tokens) || !Number.isInteger(hops) || hops < 1 || hops > 64) {
    throw clientError('InvalidParameterValue', 'HttpTokens or HttpPutResponseHopLimit is invalid.');
  }
  endDryRun(call);
  Object.assign(instance, { evidence: { ...instance.evidence, metadata: { tokens, hops } } });
  const output = {
    instanceId: instance.id,
    instanceMetadataOptions: { ...metadataShape(instance), state: 'pending' },
  };
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

export const ec2Profiles: Readonly<Record<string, Operation>> = {
  DescribeIamInstanceProfileAssociations: { readOnly: true, run: describeAssociations },
  AssociateIamInstanceProfile: { readOnly: false, run: associate },
  DisassociateIamInstanceProfile: { readOnly: false, run: disassociate },
  ModifyInstanceMetadataOptions: { readOnly: false, run: modifyMetadata },
};
