/**
 * An action of several calls for the runs alone: a security group is made (not idempotent, its name carries the approval's id), then
 * every interface is moved into it, and goes on where one of them is refused.
 */
import { DescribeNetworkInterfacesCommand, DescribeSecurityGroupsCommand } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { defineAction } from '../../../src/contracts/action.ts';
import type { ApiCall } from '../../../src/contracts/aws.ts';
import { NotFoundError, UserError } from '../../../src/contracts/errors.ts';

const region = 'eu-west-1';
export const groupPrefix = 'firebreak-runs-';

const Interface = z.strictObject({ id: z.string(), groups: z.array(z.string()) });
const Before = z.strictObject({
  interfaces: z.array(Interface),
  /** Groups of ours, by name. */
  ours: z.array(z.strictObject({ groupId: z.string(), name: z.string() })),
});
type Before = z.output<typeof Before>;

export const isolateForRuns = defineAction({
  name: 'isolate-for-runs',
  title: 'Move every interface into a group of its own.',
  impact: 'Nothing reaches it any more.',
  usage: 'isolate-for-runs i-...',
  examples: ['i-0runs'],
  target: z.strictObject({ instanceId: z.string() }),
  before: Before,
  permissions: {
    read: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups'],
    write: ['ec2:CreateSecurityGroup', 'ec2:DeleteSecurityGroup', 'ec2:ModifyNetworkInterfaceAttribute'],
  },
  approvals: 1,
  reversal: 'Undo moves the interfaces back.',
  parse([instanceId = '']) {
    if (!instanceId.startsWith('i-')) throw new UserError('Which instance?');
    return { instanceId };
  },
  accountOf: () => undefined,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),
  async inspect({ instanceId }, { aws, signal }) {
    const ec2 = aws.ec2(region);
    const options = { abortSignal: signal };
    const found = await ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'attachment.instance-id', Values: [instanceId] }] }),
      options,
    );
    if ((found.NetworkInterfaces ?? []).length === 0) throw new NotFoundError(`there is no ${instanceId}`);
    const groups = await ec2.send(new DescribeSecurityGroupsCommand({}), options);
    return {
      interfaces: (found.NetworkInterfaces ?? []).map((one) => ({
        id: one.NetworkInterfaceId ?? '',
        groups: (one.Groups ?? []).map(({ GroupId }) => GroupId ?? ''),
      })),
      ours: (groups.SecurityGroups ?? [])
        .filter(({ GroupName }) => GroupName?.startsWith(groupPrefix))
        .map(({ GroupId, GroupName }) => ({ groupId: GroupId ?? '', name: GroupName ?? '' })),
    };
  },
  background: () => Promise.resolve([]),
  binds: ({ interfaces }) => ({ interfaces }),
  touches: ({ instanceId }) => [instanceId],
  apply: (_target, { interfaces }) => [
    ec2Call('CreateSecurityGroup', { GroupName: { $fill: 'approvalId' }, Description: 'isolated' }),
    ...interfaces.map(({ id }) => move(id, [{ $fill: 'answer', call: 0, field: 'GroupId' }])),
  ],
  undo: (_target, _now, { before, done }) => [
    ...(before as Before).interfaces.map(({ id, groups }) => move(id, groups)),
    ...done
      .filter(({ call }) => call.operation === 'CreateSecurityGroup')
      .map(({ answer }) => ec2Call('DeleteSecurityGroup', { GroupId: answer.GroupId })),
  ],
  seen: shows,
  verify(_direction, _before, now, done) {
    const missing = done.filter(({ call }) => shows(call, now) === undefined);
    return done.length > 0 && missing.length === 0
      ? { held: true }
      : { held: false, because: `${missing.length} calls do not show` };
  },
  sessionPolicy: (_target, { interfaces }, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['ec2:ModifyNetworkInterfaceAttribute'],
        Resource: interfaces.map(({ id }) => `arn:${partition}:ec2:${region}:${accountId}:network-interface/${id}`),
      },
    ],
  }),
  roleStatements: () => [],
  willNotStop: () => [],
  describe: ({ instanceId }, { interfaces }) => `${instanceId} has ${interfaces.length} interfaces`,
});

function shows(call: ApiCall, { interfaces, ours }: Before): Readonly<Record<string, unknown>> | undefined {
  const { input } = call;
  if (call.operation === 'CreateSecurityGroup') {
    const made = ours.find(({ name }) => name === `${groupPrefix}${String(input.GroupName)}`);
    return made && { GroupId: made.groupId };
  }
  if (call.operation === 'DeleteSecurityGroup') {
    return ours.some(({ groupId }) => groupId === input.GroupId) ? undefined : {};
  }
  const moved = interfaces.find(({ id }) => id === input.NetworkInterfaceId);
  return JSON.stringify(moved?.groups) === JSON.stringify(input.Groups) ? {} : undefined;
}

function move(id: string, groups: readonly unknown[]): ApiCall {
  return { ...ec2Call('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, Groups: groups }), goesOn: true };
}

function ec2Call(operation: string, input: ApiCall['input']): ApiCall {
  return { service: 'ec2', operation, region, input };
}
