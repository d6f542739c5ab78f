/** AWS Config: the history of machines, users and roles, as this world's state tells it. */
import { AwsError } from './errors.ts';
import { type Call, type Outcome, type Service, text } from './service.ts';

interface Item {
  readonly type: string;
  readonly id: string;
  readonly name: string | undefined;
  readonly region: string;
  readonly arn: string;
  readonly states: readonly { readonly at: Date; readonly configuration: Readonly<Record<string, unknown>> }[];
}

function itemsOf(call: Call): readonly Item[] {
  const { account } = call.principal;
  const machines = account.instances.map((one): Item => {
    const { id, imageId, type, subnetId, vpcId, privateIp, region } = one;
    const base = { instanceId: id, imageId, instanceType: type, subnetId, vpcId, privateIpAddress: privateIp };
    const settled = new Date(one.launchTime.getTime() + 45_000);
    const states = [
      { at: one.launchTime, configuration: { ...base, state: { name: 'pending' } } },
      { at: settled, configuration: { ...base, state: { name: one.state } } },
    ];
    const arn = `arn:aws:ec2:${region}:${account.id}:instance/${id}`;
    return { type: 'AWS::EC2::Instance', id, name: undefined, region, arn, states };
  });
  const users = [...account.users.values()].map((one): Item => {
    const configuration = { userName: one.name, path: one.path, userId: one.id, arn: one.arn };
    const states = [{ at: one.createDate, configuration }];
    return { type: 'AWS::IAM::User', id: one.id, name: one.name, region: 'us-east-1', arn: one.arn, states };
  });
  const roles = [...account.roles.values()].map((one): Item => {
    const configuration = { roleName: one.name, path: one.path, roleId: one.id, arn: one.arn };
    const states = [{ at: one.createDate, configuration }];
    return { type: 'AWS::IAM::Role', id: one.id, name: one.name, region: 'us-east-1', arn: one.arn, states };
  });
  return [...machines, ...users, ...roles].filter((item) => item.region === call.region);
}

function list(call: Call): Outcome {
  call.may('config:ListDiscoveredResources');
  const type = text(call.input, 'resourceType');
  const name = text(call.input, 'resourceName');
  const found = itemsOf(call).filter((item) => item.type === type && (name === undefined || item.name === name));
  return {
    output: {
      resourceIdentifiers: found.map(({ type: resourceType, id: resourceId, name: resourceName }) => ({
        resourceType,
        resourceId,
        resourceName,
      })),
    },
  };
}

function history(call: Call): Outcome {
  call.may('config:GetResourceConfigHistory');
  const item = itemsOf(call).find(
    ({ type, id }) => type === text(call.input, 'resourceType') && id === text(call.input, 'resourceId'),
  );
  if (item === undefined) {
    const message = `Resource ${text(call.input, 'resourceId')} of resourceType:${text(call.input, 'resourceType')} is unknown or has not been discovered`;
    throw new AwsError('ResourceNotDiscoveredException', 400, message);
  }
  const newestFirst = item.states.toReversed();
  return {
    output: {
      configurationItems: newestFirst.map(({ at, configuration }, index) => ({
        version: '1.3',
        accountId: call.principal.account.id,
        configurationItemCaptureTime: at.getTime() / 1000,
        configurationItemStatus: index === newestFirst.length - 1 ? 'ResourceDiscovered' : 'OK',
        configurationStateId: String(at.getTime()),
        arn: item.arn,
        resourceType: item.type,
        resourceId: item.id,
        awsRegion: item.region,
        tags: {},
        relatedEvents: [],
        relationships: [],
        configuration: JSON.stringify(configuration),
        supplementaryConfiguration: {},
      })),
    },
  };
}

export const config: Service = {
  name: 'config',
  protocol: 'json',
  namespace: '',
  apiVersion: '2014-11-12',
  eventSource: 'config.amazonaws.com',
  global: false,
  operations: {
    ListDiscoveredResources: { readOnly: true, run: list },
    GetResourceConfigHistory: { readOnly: true, run: history },
  },
};
