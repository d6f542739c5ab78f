/** AWS Systems Manager: which machines are managed, and commands run on them. */
import { AwsError } from './errors.ts';
import { instanceNamed, type SentCommand } from './evidence.ts';
import type { Input } from './protocols.ts';
import { type Call, type Outcome, objects, type Service, text, texts } from './service.ts';

const documents = ['AWS-RunShellScript', 'AWS-RunPowerShellScript'];

function seconds(at: Date): number {
  return at.getTime() / 1000;
}

function describeInformation(call: Call): Outcome {
  call.may('ssm:DescribeInstanceInformation');
  const filters = objects(call.input, 'Filters');
  const unknown = filters.find((filter) => text(filter, 'Key') !== 'InstanceIds');
  if (unknown !== undefined) throw new AwsError('InvalidFilterKey', 400, 'The filter key is not valid.');
  const InstanceInformationList = call.principal.account.instances
    .filter(({ region, id }) => region === call.region && filters.every((one) => texts(one, 'Values').includes(id)))
    .flatMap(({ id, evidence, privateIp }) => {
      const agent = evidence?.agent;
      if (agent === undefined) return [];
      return [
        {
          ...{ InstanceId: id, PingStatus: agent.ping, PlatformType: agent.platform, AgentVersion: '3.3.2299.0' },
          ...{ LastPingDateTime: seconds(call.now), ResourceType: 'EC2Instance', IPAddress: privateIp },
        },
      ];
    });
  return { output: { InstanceInformationList } };
}

function sendCommand(call: Call): Outcome {
  const { input, region, principal, random, now } = call;
  const { account } = principal;
  const document = text(input, 'DocumentName') ?? '';
  const instanceIds = texts(input, 'InstanceIds');
  call.may('ssm:SendCommand', `arn:aws:ssm:${region}::document/${document}`);
  for (const id of instanceIds) call.may('ssm:SendCommand', `arn:aws:ec2:${region}:${account.id}:instance/${id}`);
  if (!documents.includes(document)) {
    throw new AwsError('InvalidDocument', 400, `Document with name ${document} does not exist.`);
  }
  if ((text(input, 'Comment') ?? '').length > 100) {
    throw new AwsError('ValidationException', 400, "Value at 'comment' must have length less than or equal to 100");
  }
  for (const id of instanceIds) {
    const instance = instanceNamed(account, region, id);
    const ready = instance?.state === 'running' && instance.evidence?.agent !== undefined;
    if (!ready) {
      const message = `Instances [[${id}]] not in a valid state for account ${account.id}`;
      throw new AwsError('InvalidInstanceId', 400, message);
    }
  }
  const command: SentCommand = {
    ...{ id: random.uuid(), region, instanceIds, document, at: now },
    comment: text(input, 'Comment') ?? '',
    parameters: (input.Parameters ?? {}) as Readonly<Record<string, unknown>>,
  };
  account.evidence.commands.push(command);
  const Command = { ...shapeOf(command), Status: 'Pending', StatusDetails: 'Pending' };
  const responseElements = {
    command: { commandId: command.id, documentName: document, instanceIds, status: 'Pending' },
  };
  return { output: { Command }, responseElements };
}

function shapeOf({ id, document, comment, instanceIds, parameters, at }: SentCommand) {
  return {
    ...{ CommandId: id, DocumentName: document, DocumentVersion: '1', Comment: comment, InstanceIds: instanceIds },
    ...{ Parameters: parameters as never, RequestedDateTime: seconds(at), TargetCount: instanceIds.length },
  };
}

function statusOn(call: Call, instanceId: string): 'Success' | 'Failed' | 'InProgress' {
  const agent = instanceNamed(call.principal.account, call.region, instanceId)?.evidence?.agent;
  return agent?.ends ?? 'Success';
}

function commandsHere(call: Call): readonly SentCommand[] {
  return call.principal.account.evidence.commands.filter(({ region }) => region === call.region);
}

function listCommands(call: Call): Outcome {
  call.may('ssm:ListCommands');
  const id = text(call.input, 'InstanceId');
  const chosen = commandsHere(call).filter(({ instanceIds }) => id === undefined || instanceIds.includes(id));
  const size = Number(call.input.MaxResults ?? 50);
  const start = Number(text(call.input, 'NextToken') ?? '0');
  const Commands = chosen
    .toReversed()
    .slice(start, start + size)
    .map((command) => ({ ...shapeOf(command), Status: statusOn(call, command.instanceIds[0] ?? '') }));
  return { output: { Commands, ...(start + size < chosen.length ? { NextToken: String(start + size) } : {}) } };
}

function getInvocation(call: Call): Outcome {
  call.may('ssm:GetCommandInvocation');
  const [id, instanceId] = [text(call.input, 'CommandId') ?? '', text(call.input, 'InstanceId') ?? ''];
  const command = commandsHere(call).find((one) => one.id === id && one.instanceIds.includes(instanceId));
  if (command === undefined) throw new AwsError('InvocationDoesNotExist', 400, 'The invocation does not exist.');
  const status = statusOn(call, instanceId);
  const codes = { Success: 0, Failed: 1, InProgress: -1 } as const;
  return {
    output: {
      ...{ CommandId: id, InstanceId: instanceId, Comment: command.comment, DocumentName: command.document },
      ...{ ResponseCode: codes[status], Status: status, StatusDetails: status },
      ...{ StandardOutputContent: '', StandardErrorContent: '', StandardOutputUrl: '', StandardErrorUrl: '' },
    },
  };
}

/** CloudTrail keeps what a command is, not what it says. */
function sendParameters(input: Input): Readonly<Record<string, unknown>> {
  return {
    documentName: text(input, 'DocumentName'),
    instanceIds: texts(input, 'InstanceIds'),
    comment: text(input, 'Comment'),
    timeoutSeconds: input.TimeoutSeconds,
    parameters: 'HIDDEN_DUE_TO_SECURITY_REASONS',
  };
}

export const ssm: Service = {
  name: 'ssm',
  protocol: 'json',
  namespace: '',
  apiVersion: '2014-11-06',
  eventSource: 'ssm.amazonaws.com',
  global: false,
  operations: {
    DescribeInstanceInformation: { readOnly: true, run: describeInformation },
    SendCommand: { readOnly: false, parameters: sendParameters, run: sendCommand },
    ListCommands: { readOnly: true, run: listCommands },
    GetCommandInvocation: { readOnly: true, run: getInvocation },
  },
};
