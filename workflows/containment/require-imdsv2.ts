/** Lets an instance's metadata be read by IMDSv2 only, and not through one more hop (DOMAIN.md 5.8, A11). */
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import {
  accountOfInstance,
  findInstance,
  InstanceFacts,
  InstanceTarget,
  instanceArn,
  instanceFacts,
  onlyInstanceIn,
} from './instance/instance-of.ts';

const usage = 'require-imdsv2 <i-... or ARN of an instance>';

const Before = InstanceFacts.extend({
  /** optional: IMDSv1 answers too. */
  httpTokens: z.string(),
  hopLimit: z.number(),
  httpEndpoint: z.string(),
  /** pending until the change has reached the instance, then applied. */
  optionsState: z.string(),
});

export const requireImdsv2 = defineAction({
  name: 'require-imdsv2',
  title: 'Require session tokens (IMDSv2) for the metadata of the instance, with a hop limit of 1.',
  impact:
    'Programs that read metadata without a token, and containers that are one hop away, get no credentials any more.',
  usage,
  examples: ['i-0aa11bb22cc33dd44'],
  target: InstanceTarget,
  before: Before,
  permissions: { read: ['ec2:DescribeInstances'], write: ['ec2:ModifyInstanceMetadataOptions'] },
  approvals: 1,
  unique: true,
  reversal: 'Undo sets tokens and hop limit to what they were.',

  parse: (words) => onlyInstanceIn(words, usage),
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const options = instance.MetadataOptions;
    if (options?.HttpTokens === undefined || options.HttpPutResponseHopLimit === undefined) {
      throw new UpstreamError('aws', 'NotAws', 'EC2 told no metadata options of the instance', { retryable: true });
    }
    return {
      ...instanceFacts(region, instance, ctx.aws),
      httpTokens: options.HttpTokens,
      hopLimit: options.HttpPutResponseHopLimit,
      httpEndpoint: options.HttpEndpoint ?? 'unknown',
      optionsState: options.State ?? 'unknown',
    };
  },
  background: (_target, { httpEndpoint }) =>
    Promise.resolve(httpEndpoint === 'disabled' ? ['Metadata is switched off on this instance now.'] : []),
  complete(target, { state, region }) {
    if (state === 'terminated' || state === 'shutting-down') {
      throw new UserError(`${target.instanceId} is ${state}: it has no metadata any more.`);
    }
    return Promise.resolve({ ...target, region });
  },

  touches: ({ instanceId }, { instanceArn: arn }) => [arn, instanceId],
  binds: ({ instanceArn: arn, httpTokens, hopLimit }) => ({ instanceArn: arn, httpTokens, hopLimit }),

  apply: ({ instanceId }, { region }) => [modify(instanceId, region, 'required', 1)],
  undo: ({ instanceId }, { region }, { before }) => [
    modify(instanceId, region, String(before.httpTokens), Number(before.hopLimit)),
  ],
  verify(direction, before, now, done) {
    const sent = done.at(-1)?.call.input;
    const tokens = direction === 'apply' ? 'required' : (sent?.HttpTokens ?? before.httpTokens);
    const hops = direction === 'apply' ? 1 : (sent?.HttpPutResponseHopLimit ?? before.hopLimit);
    if (now.httpTokens === tokens && now.hopLimit === hops && now.optionsState === 'applied') return { held: true };
    const because = `EC2 still reads HttpTokens ${now.httpTokens}, hop limit ${now.hopLimit}, ${now.optionsState}`;
    return { held: false, because };
  },

  sessionPolicy: ({ instanceId }, { region }, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: statements(instanceArn(instanceId, region, accountId, partition)),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:ec2:*:${accountId}:instance/*`),
  isPartial: true,
  willNotStop: () => [
    'Whoever runs code on the instance gets a token as any program there does: this stops requests that are forged from outside (SSRF).',
    'Credentials that were read before go on working until they end, about six hours: contain revoke-instance-session refuses them.',
    'Whoever may call ec2:ModifyInstanceMetadataOptions can set it back.',
  ],
  describe: ({ instanceId }, { httpTokens, hopLimit, httpEndpoint }) =>
    `${instanceId} has metadata ${httpEndpoint}, tokens ${httpTokens}, hop limit ${hopLimit}`,
});

function modify(InstanceId: string, region: string, HttpTokens: string, HttpPutResponseHopLimit: number): ApiCall {
  const input = { InstanceId, HttpTokens, HttpPutResponseHopLimit };
  return { service: 'ec2', operation: 'ModifyInstanceMetadataOptions', region, input };
}

function statements(instance: string): PolicyDocument['Statement'] {
  return [
    { Effect: 'Allow', Action: ['ec2:ModifyInstanceMetadataOptions'], Resource: instance },
    { Effect: 'Allow', Action: ['ec2:DescribeInstances'], Resource: '*' },
  ];
}
