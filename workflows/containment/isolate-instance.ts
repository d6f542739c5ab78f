/** Cuts an instance off the network by security groups without rules on every interface (DOMAIN.md 5.8, A5). */
import { z } from 'zod';
import { type ActionContext, defineAction } from '#src/contracts/action.ts';
import type { Applied } from '#src/contracts/approval.ts';
import type { ApiCall } from '#src/contracts/aws.ts';
import { NotFoundError, UserError } from '#src/contracts/errors.ts';
import { backgroundOf } from './instance/background.ts';
import {
  accountOfInstance,
  findInstance,
  InstanceFacts,
  InstanceTarget,
  instanceFacts,
  instanceIn,
} from './instance/instance-of.ts';
import { InterfaceFacts, interfacesOf, trackingWords } from './instance/interfaces.ts';
import {
  hasGroups,
  IsolationGroup,
  isolateCalls,
  isolationGroups,
  isolationSeen,
  isSealed,
  VpcFacts,
  vpcsOf,
} from './instance/isolation.ts';
import {
  isolationReads,
  isolationRoleStatements,
  isolationStatements,
  isolationWrites,
} from './instance/isolation-rights.ts';
import {
  deregisterCalls,
  leftRegistered,
  placementSeen,
  returnCalls,
  scalingWords,
  standbyCall,
} from './instance/leave.ts';
import { Placement, placementOf, unreadWords } from './instance/placement.ts';

const usage = 'isolate-instance <i-... or ARN of an instance> [ssm]';

const Target = InstanceTarget.extend({ keep: z.enum(['', 'ssm']) });
const Before = InstanceFacts.extend({
  interfaces: z.array(InterfaceFacts),
  vpcs: z.array(VpcFacts),
  isolation: z.array(IsolationGroup),
  ...Placement.shape,
});
type Before = z.output<typeof Before>;

export const isolateInstance = defineAction({
  name: 'isolate-instance',
  title:
    'Put every network interface of the instance into a new security group without rules (ssm: with port 443 to the endpoints of SSM only).',
  impact:
    'Nothing can reach the instance and it can reach nothing; whatever it serves is down, and it leaves its load balancers.',
  usage,
  examples: [
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000a001',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000b001 ssm',
    'i-0c77be3d1a2f40915',
  ],
  target: Target,
  before: Before,
  permissions: {
    read: isolationReads,
    write: isolationWrites,
  },
  approvals: 1,
  reversal:
    'Undo gives each interface that still has our group its own groups back, registers the instance with its load balancers, takes it out of Standby (the desired capacity of its group then grows by one) and deletes our group.',
  unique: true,

  parse(words): z.output<typeof Target> {
    const [word, keep = '', ...more] = words;
    const instance = instanceIn(word, usage);
    if (more.length > 0 || (keep !== '' && keep !== 'ssm')) {
      throw new UserError('After the instance comes nothing, or ssm.', `Usage: contain ${usage}`);
    }
    return { ...instance, keep };
  },
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const { aws, signal } = ctx;
    const facts = instanceFacts(region, instance, aws);
    if (facts.state === 'terminated' || facts.state === 'shutting-down') {
      throw new NotFoundError(`instance ${target.instanceId} is ${facts.state}: it has no network any more`);
    }
    const [interfaces, isolation, placement] = await Promise.all([
      interfacesOf(target.instanceId, region, aws, signal),
      isolationGroups(target.instanceId, { region, aws, signal }),
      placementOf({ region, instance, aws, signal }, ctx.planned),
    ]);
    const vpcs = await vpcsOf(interfaces, target.keep === 'ssm', { region, aws, signal });
    return { ...facts, interfaces, vpcs, isolation, ...placement };
  },

  async background(target, before, ctx) {
    const { instance } = await findInstance(target, { ...ctx, planned: before } satisfies ActionContext);
    return backgroundOf(instance, before, ctx.records ?? []);
  },

  // Tags, scaling and load balancers may change under way: then other calls follow, which voids it by itself.
  binds: ({ instanceArn, interfaces }) => ({
    instanceArn,
    interfaces: interfaces.map(({ id, vpcId, groups }) => ({ id, vpcId, groups })),
  }),
  touches: ({ instanceId }, { instanceArn, interfaces, scaling }) => [
    instanceArn,
    instanceId,
    ...interfaces.map(({ id }) => id),
    ...(scaling === null ? [] : [scaling.group]),
  ],

  apply: callsOf,
  undo: (_target, now, applied) => undoCalls(now, applied),

  seen: (call, now) => isolationSeen(call, now) ?? placementSeen(call, now),

  verify(direction, _before, now, done) {
    const missing = done.filter(({ call }) => (isolationSeen(call, now) ?? placementSeen(call, now)) === undefined);
    if (missing.length > 0) {
      return { held: false, because: `AWS does not show ${missing.map(({ call }) => call.operation).join(', ')}` };
    }
    const open = direction === 'apply' ? now.interfaces.filter((one) => !isSealed(one, now)) : [];
    if (open.length === 0) return { held: true };
    return {
      held: false,
      because: `${open.map(({ id }) => id).join(', ')} can still be reached by its security groups`,
    };
  },

  sessionPolicy(target, before, accountId, partition, restores) {
    const calls = restores === undefined ? callsOf(target, before) : undoCalls(before, restores);
    return {
      Version: '2012-10-17',
      Statement: isolationStatements(target.instanceId, before, calls, accountId, partition),
    };
  },

  roleStatements: isolationRoleStatements,

  // What its role gave it before lives for up to six hours (DOMAIN.md 5.8, A10).
  mintedLivesMs: () => 6 * 3_600_000,
  refusesNothing: true,
  settlesWithinMs: 60_000,

  willNotStop({ interfaces, vpcs, scaling, targets, balancers, unread }) {
    const managed = interfaces.filter(({ managedBy }) => managedBy !== '');
    const keepsSsm = vpcs.some(({ ssmAddresses }) => ssmAddresses.length > 0);
    return [
      ...managed.map(
        ({ id, managedBy }) =>
          `The interface ${id} belongs to ${managedBy}: AWS will refuse to change it, and it stays open.`,
      ),
      ...trackingWords(interfaces),
      'No security group stops DNS through the resolver of the VPC, the metadata service (which goes on handing out credentials of its role) or the time service.',
      'Credentials of its role that were taken from it go on working elsewhere: revoke the session too.',
      keepsSsm
        ? 'Whoever may use SSM on it still can, and the group of the endpoints must let it in on port 443.'
        : 'SSM loses the instance: capture memory before, or isolate it with ssm.',
      ...scalingWords(scaling, false),
      ...leftRegistered({ targets, balancers }),
      ...unreadWords(unread),
    ];
  },

  describe({ instanceId }, before) {
    const sealed = before.interfaces.filter((one) => isSealed(one, before)).length;
    const { length } = before.interfaces;
    const how = sealed === length ? 'isolated' : sealed === 0 ? 'not isolated' : 'isolated in part';
    return `${instanceId} (${before.state}) is ${how}: ${sealed} of ${length} interfaces have our group alone`;
  },
});

function callsOf({ instanceId }: Pick<InstanceTarget, 'instanceId'>, before: Before): readonly ApiCall[] {
  const { region, interfaces, vpcs } = before;
  const open = interfaces.filter((one) => !isSealed(one, before));
  const calls: ApiCall[] = [];
  if (open.length === 0) return calls;
  calls.push(...standbyCall(instanceId, before, false), ...deregisterCalls(instanceId, before));
  for (const vpc of vpcs) {
    const here = open.filter(({ vpcId }) => vpcId === vpc.id);
    if (here.length > 0) calls.push(...isolateCalls(instanceId, region, vpc, here, calls.length));
  }
  return calls;
}

/** What restores it, but for what somebody else has changed since. */
function undoCalls(now: Before, applied: Applied): readonly ApiCall[] {
  const before = Before.parse(applied.before);
  const restored = applied.done.flatMap(({ call }): readonly ApiCall[] => {
    const own = before.interfaces.find(({ id }) => id === call.input.NetworkInterfaceId);
    // What somebody has changed since, or taken away, is not ours to set.
    if (call.operation !== 'ModifyNetworkInterfaceAttribute' || own === undefined) return [];
    if (!hasGroups(call.input, now.interfaces)) return [];
    return [{ ...call, input: { NetworkInterfaceId: own.id, Groups: own.groups }, goesOn: true }];
  });
  const free = ({ groupId }: IsolationGroup) =>
    now.interfaces.every(
      ({ id, groups }) => !groups.includes(groupId) || restored.some(({ input }) => input.NetworkInterfaceId === id),
    );
  const made = applied.done.map(({ answer }) => answer.GroupId);
  const groups = now.isolation.filter((group) => made.includes(group.groupId) && free(group));
  const deleted = groups.map(
    ({ groupId }): ApiCall => ({
      ...{ service: 'ec2', operation: 'DeleteSecurityGroup', region: now.region, goesOn: true },
      input: { GroupId: groupId },
    }),
  );
  const unread = now.unread.filter(({ service }) => applied.done.some(({ call }) => call.service === service));
  if (unread.length > 0) {
    throw new UserError(
      `What it left cannot be read (${unread.map(({ service, code }) => `${service}: ${code}`).join(', ')}), so it cannot be given back.`,
      'Give Firebreak the right to read it, and undo again.',
    );
  }
  return [...restored, ...returnCalls(applied.done, now), ...deleted];
}
