/** What Systems Manager knows of an instance, and the one script that Firebreak has it run. */
import {
  type Command,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  ListCommandsCommand,
} from '@aws-sdk/client-ssm';
import { z } from 'zod';
import type { ActionContext, Forensics } from '#src/contracts/action.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { everyPage } from '#src/domain/pages.ts';

/** AWS's own: nobody in the account can change what it does. */
export const shellDocument = 'AWS-RunShellScript';
/** Systems Manager keeps commands for 30 days; ours is looked for among the latest. */
const mostPages = 20;

export const ManagedState = z.strictObject({
  /** Online, ConnectionLost or Inactive; empty where it is not managed. */
  ping: z.string(),
  online: z.boolean(),
  /** Linux, Windows or MacOS. */
  platform: z.string(),
});
export type ManagedState = z.output<typeof ManagedState>;

export const StartedCommand = z.strictObject({
  commandId: z.string(),
  /** The id of the approval. */
  comment: z.string(),
  /** As GetCommandInvocation has it: Pending, InProgress, Delayed, Success, Failed, TimedOut, ... */
  status: z.string(),
  /** Exit code, -1 until there is one. */
  responseCode: z.number(),
});
export type StartedCommand = z.output<typeof StartedCommand>;

/**
 * The lines of the script: constants, and three values of fixed forms (bucket and path of the config, the instance's id). No
 * text of an attacker gets here. What the tool wrote is removed once it is stored.
 */
export function captureScript({ bucket, memoryTool }: Forensics, instanceId: string): string[] {
  return [
    'set -eu',
    'umask 077',
    'taken=$(date -u +%Y%m%dT%H%M%SZ)',
    'image=/var/tmp/firebreak-$taken.lime',
    'trap \'rm -f "$image"\' EXIT',
    `test -x ${memoryTool}`,
    'command -v aws',
    `${memoryTool} "$image"`,
    'sha256sum "$image"',
    `aws s3 cp --only-show-errors "$image" "s3://${bucket}/memory/${instanceId}/$taken.lime"`,
  ];
}

/** Whether a command would reach it. */
export async function managedState(
  instanceId: string,
  region: string,
  { aws, signal }: ActionContext,
): Promise<ManagedState> {
  const Filters = [{ Key: 'InstanceIds', Values: [instanceId] }];
  const list = await everyPage(async (NextToken) => {
    const command = new DescribeInstanceInformationCommand({ Filters, NextToken });
    const page = await aws.ssm(region).send(command, { abortSignal: signal });
    return { items: page.InstanceInformationList, next: page.NextToken };
  });
  const found = list.find(({ InstanceId }) => InstanceId === instanceId);
  const ping = found?.PingStatus ?? '';
  return { ping, online: ping === 'Online', platform: found?.PlatformType ?? '' };
}

/** Commands with exactly this script on the instance, newest first. */
export async function startedOf(
  script: readonly string[],
  instanceId: string,
  region: string,
  ctx: ActionContext,
): Promise<StartedCommand[]> {
  const wanted = script.join('\n');
  const ours = (await commandsOn(instanceId, region, ctx)).filter(
    ({ DocumentName, Parameters }) =>
      DocumentName === shellDocument && (Parameters?.commands ?? []).join('\n') === wanted,
  );
  const invocations = ours.map(async ({ CommandId: commandId = '', Comment: comment = '' }) => ({
    commandId,
    comment,
    ...(await invocationOf(commandId, instanceId, region, ctx)),
  }));
  return Promise.all(invocations);
}

async function commandsOn(
  InstanceId: string,
  region: string,
  { aws, signal }: ActionContext,
): Promise<readonly Command[]> {
  const found: Command[] = [];
  let NextToken: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = await aws
      .ssm(region)
      .send(new ListCommandsCommand({ InstanceId, MaxResults: 50, NextToken }), { abortSignal: signal });
    if (page.Commands === undefined) throw notAws();
    found.push(...page.Commands);
    NextToken = page.NextToken;
    if (NextToken === undefined || NextToken === '') break;
  }
  const at = ({ RequestedDateTime }: Command) => RequestedDateTime?.getTime() ?? 0;
  return found.sort((a, b) => at(b) - at(a));
}

/** A command is listed a moment before its invocation is: then it is pending. */
async function invocationOf(
  CommandId: string,
  InstanceId: string,
  region: string,
  { aws, signal }: ActionContext,
): Promise<Pick<StartedCommand, 'status' | 'responseCode'>> {
  try {
    const { Status, ResponseCode } = await aws
      .ssm(region)
      .send(new GetCommandInvocationCommand({ CommandId, InstanceId }), { abortSignal: signal });
    if (Status === undefined) throw notAws();
    return { status: Status, responseCode: ResponseCode ?? -1 };
  } catch (error) {
    if (isAwsError(error, 'InvocationDoesNotExist')) return { status: 'Pending', responseCode: -1 };
    throw error;
  }
}

function notAws(): UpstreamError {
  return new UpstreamError('aws', 'NotAws', "the answer was not Systems Manager's", { retryable: true });
}
