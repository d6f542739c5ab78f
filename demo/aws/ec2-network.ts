/** Amazon EC2: the writes on security groups, interfaces and tags. */

import { arnOf, interfacesIn, tagSet } from './ec2-network-reads.ts';
import { asTrail, clientError } from './ec2-shape.ts';
import {
  everyAddress,
  everyAddress6,
  groupsIn,
  interfacesOf,
  type Rule,
  type SecurityGroup,
  sameRule,
  type Tag,
} from './network.ts';
import type { Input, Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, text, texts } from './service.ts';

function tagContext(tags: readonly Tag[], prefix: 'aws:resourcetag' | 'aws:requesttag') {
  return Object.fromEntries(tags.map(({ Key, Value: value }) => [`${prefix}/${Key.toLowerCase()}`, [value]]));
}

function tagsIn(input: Input, name: string): Tag[] {
  return objects(input, name).map((tag) => ({ Key: text(tag, 'Key') ?? '', Value: text(tag, 'Value') ?? '' }));
}

function groupNamed(call: Call, id: string): SecurityGroup {
  const group = groupsIn(call.principal.account, call.region).find((one) => one.id === id);
  const context = tagContext(group?.tags ?? [], 'aws:resourcetag');
  call.may(`ec2:${call.operation}`, arnOf(call, 'security-group', id), undefined, context);
  if (group === undefined) throw clientError('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
  return group;
}

function createSecurityGroup(call: Call): Outcome {
  const { input, region, principal, random } = call;
  const [name, vpcId] = [text(input, 'GroupName') ?? '', text(input, 'VpcId') ?? ''];
  const specified = objects(input, 'TagSpecification').filter((one) => text(one, 'ResourceType') === 'security-group');
  const tags = specified.flatMap((one) => tagsIn(one, 'Tag'));
  const context = { ...tagContext(tags, 'aws:requesttag'), 'aws:tagkeys': tags.map(({ Key }) => Key) };
  call.may('ec2:CreateSecurityGroup', arnOf(call, 'security-group', '*'), undefined, context);
  call.may('ec2:CreateSecurityGroup', arnOf(call, 'vpc', vpcId));
  if (tags.length > 0) {
    const created = { ...context, 'ec2:createaction': ['CreateSecurityGroup'] };
    call.may('ec2:CreateTags', arnOf(call, 'security-group', '*'), undefined, created);
  }
  if (!/^[\w .\-:/()#,@[\]+=&;{}!$*]{1,255}$/.test(name) || name.startsWith('sg-')) {
    throw clientError('InvalidParameterValue', `Invalid value '${name}' for groupName.`);
  }
  if (text(input, 'GroupDescription') === undefined) {
    throw clientError('MissingParameter', 'The request must contain the parameter GroupDescription');
  }
  if (groupsIn(principal.account, region).some((group) => group.name === name && group.vpcId === vpcId)) {
    const message = `The security group '${name}' already exists for VPC '${vpcId}'`;
    throw clientError('InvalidGroup.Duplicate', message);
  }
  const { network } = principal.account;
  const group: SecurityGroup = {
    ...{ id: `sg-${random.hex(17)}`, name, region, vpcId, tags, ingress: [] },
    description: text(input, 'GroupDescription') ?? '',
    egress: network.ipv6Vpcs.has(vpcId) ? [everyAddress, everyAddress6] : [everyAddress],
  };
  network.securityGroups.push(group);
  const securityGroupArn = arnOf(call, 'security-group', group.id);
  const output = { groupId: group.id, tagSet: tagSet(tags), securityGroupArn, return: true };
  return { output, responseElements: { requestId: call.requestId, _return: true, groupId: group.id } };
}

/** The rules that IpPermissions name. */
function rulesIn(input: Input): Rule[] {
  return objects(input, 'IpPermissions').flatMap((permission) => {
    const protocol = text(permission, 'IpProtocol') ?? '-1';
    const [from, to] = [text(permission, 'FromPort'), text(permission, 'ToPort')];
    const ports = from === undefined ? {} : { from: Number(from), to: Number(to ?? from) };
    const peers = [
      ...objects(permission, 'IpRanges').map((range) => ({ cidr: text(range, 'CidrIp') ?? '' })),
      ...objects(permission, 'Ipv6Ranges').map((range) => ({ cidr6: text(range, 'CidrIpv6') ?? '' })),
      ...objects(permission, 'Groups').map((pair) => ({ groupId: text(pair, 'GroupId') ?? '' })),
    ];
    return peers.map((peer) => ({ protocol, ...ports, peer }));
  });
}

function changeRules(way: 'ingress' | 'egress', verb: 'add' | 'remove') {
  return (call: Call): Outcome => {
    const group = groupNamed(call, text(call.input, 'GroupId') ?? '');
    const wanted = rulesIn(call.input);
    const rules = group[way];
    for (const rule of wanted) {
      const isThere = rules.some((one) => sameRule(one, rule));
      if (verb === 'add' && isThere) {
        throw clientError('InvalidPermission.Duplicate', 'the specified rule already exists');
      }
      if (verb === 'remove' && !isThere) {
        throw clientError('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.');
      }
    }
    const left = rules.filter((one) => !wanted.some((rule) => sameRule(one, rule)));
    rules.splice(0, rules.length, ...left, ...(verb === 'add' ? wanted : []));
    return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
  };
}

function deleteSecurityGroup(call: Call): Outcome {
  const group = groupNamed(call, text(call.input, 'GroupId') ?? '');
  const { account } = call.principal;
  const isUsed = account.instances.some((instance) =>
    interfacesOf(instance).some(({ groups }) => groups.some(({ id }) => id === group.id)),
  );
  if (isUsed) throw clientError('DependencyViolation', `resource ${group.id} has a dependent object`);
  account.network.securityGroups.splice(account.network.securityGroups.indexOf(group), 1);
  return {
    output: { return: true, groupId: group.id },
    responseElements: { requestId: call.requestId, _return: true },
  };
}

function modifyInterface(call: Call): Outcome {
  const id = text(call.input, 'NetworkInterfaceId') ?? '';
  call.may('ec2:ModifyNetworkInterfaceAttribute', arnOf(call, 'network-interface', id));
  const wanted = texts(call.input, 'SecurityGroupId');
  for (const group of wanted) call.may('ec2:ModifyNetworkInterfaceAttribute', arnOf(call, 'security-group', group));
  const found = interfacesIn(call).find(({ one }) => one.id === id)?.one;
  if (found === undefined) {
    throw clientError('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`);
  }
  if (found.requesterId !== undefined) {
    throw clientError('AuthFailure', 'You do not have permission to access the specified resource.', 403);
  }
  const groups = groupsIn(call.principal.account, call.region);
  found.groups = wanted.map((groupId) => {
    const group = groups.find((one) => one.id === groupId);
    if (group === undefined)
      throw clientError('InvalidGroup.NotFound', `The security group '${groupId}' does not exist`);
    if (group.vpcId !== found.vpcId) {
      throw clientError('InvalidGroup.NotFound', `The security group '${groupId}' does not belong to ${found.vpcId}`);
    }
    return { id: group.id, name: group.name };
  });
  return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
}

function createTags(call: Call): Outcome {
  const { account } = call.principal;
  const tags = tagsIn(call.input, 'Tag');
  for (const id of texts(call.input, 'ResourceId')) {
    const kind = id.startsWith('i-') ? 'instance' : 'security-group';
    call.may('ec2:CreateTags', arnOf(call, kind, id), undefined, tagContext(tags, 'aws:requesttag'));
    if (tags.some(({ Key }) => Key.toLowerCase().startsWith('aws:'))) {
      throw clientError('InvalidParameterValue', 'Tag keys starting with "aws:" are reserved for internal use');
    }
    const holder =
      kind === 'instance'
        ? account.instances.find((one) => one.id === id && one.region === call.region)
        : groupsIn(account, call.region).find((one) => one.id === id);
    if (holder === undefined) throw clientError('InvalidID', `The ID '${id}' is not valid`);
    const kept = holder.tags.filter(({ Key }) => !tags.some((tag) => tag.Key === Key));
    holder.tags.splice(0, holder.tags.length, ...kept, ...tags);
  }
  return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
}

/** Lists as CloudTrail keeps them. */
function parameters(input: Input): Readonly<Record<string, unknown>> {
  const lowered = Object.entries(input).map(
    ([key, value]) => [`${key.charAt(0).toLowerCase()}${key.slice(1)}`, asTrail(value as Value)] as const,
  );
  return Object.fromEntries(lowered);
}

function createTagsParameters(input: Input): Readonly<Record<string, unknown>> {
  return {
    resourcesSet: { items: texts(input, 'ResourceId').map((resourceId) => ({ resourceId })) },
    tagSet: { items: tagsIn(input, 'Tag').map(({ Key, Value: value }) => ({ key: Key, value })) },
  };
}

function write(run: (call: Call) => Outcome, more: Operation['parameters'] = parameters): Operation {
  return { readOnly: false, run, parameters: more };
}

export const networkWrites: Readonly<Record<string, Operation>> = {
  CreateSecurityGroup: write(createSecurityGroup),
  DeleteSecurityGroup: write(deleteSecurityGroup),
  AuthorizeSecurityGroupEgress: write(changeRules('egress', 'add')),
  AuthorizeSecurityGroupIngress: write(changeRules('ingress', 'add')),
  RevokeSecurityGroupEgress: write(changeRules('egress', 'remove')),
  RevokeSecurityGroupIngress: write(changeRules('ingress', 'remove')),
  ModifyNetworkInterfaceAttribute: write(modifyInterface),
  CreateTags: write(createTags, createTagsParameters),
};
