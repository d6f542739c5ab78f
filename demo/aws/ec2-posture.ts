/** Amazon EC2: VPCs, flow logs and the account's default for instance metadata. */
import { createHash } from 'node:crypto';
import { type Call, type Operation, objects, text, texts } from './service.ts';

/** The VPCs that machines are in, and a default one where there are none. */
function vpcsOf({ principal, region }: Call): readonly { readonly id: string; readonly isDefault: boolean }[] {
  const { account } = principal;
  const used = account.instances.filter((instance) => instance.region === region).map(({ vpcId }) => vpcId);
  if (used.length > 0) return [...new Set(used)].map((id) => ({ id, isDefault: false }));
  const hash = createHash('md5').update(`${account.id} ${region}`).digest('hex');
  return [{ id: `vpc-0${hash.slice(0, 16)}`, isDefault: true }];
}

function wanted(call: Call, filterName: string): readonly string[] | undefined {
  const filter = objects(call.input, 'Filter').find((one) => text(one, 'Name') === filterName);
  return filter === undefined ? undefined : texts(filter, 'Value');
}

export const ec2Posture: Readonly<Record<string, Operation>> = {
  DescribeVpcs: {
    readOnly: true,
    run(call) {
      call.may('ec2:DescribeVpcs');
      const ids = texts(call.input, 'VpcId');
      const vpcSet = vpcsOf(call)
        .filter(({ id }) => ids.length === 0 || ids.includes(id))
        .map(({ id, isDefault }) => ({
          vpcId: id,
          ownerId: call.principal.account.services.sharedVpcs.get(id) ?? call.principal.account.id,
          state: 'available',
          cidrBlock: '172.31.0.0/16',
          dhcpOptionsId: 'default',
          instanceTenancy: 'default',
          isDefault,
          ipv6CidrBlockAssociationSet: call.principal.account.network.ipv6Vpcs.has(id)
            ? [{ ipv6CidrBlock: '2001:db8:1::/56', ipv6CidrBlockState: { state: 'associated' } }]
            : [],
        }));
      return { output: { vpcSet } };
    },
  },
  DescribeFlowLogs: {
    readOnly: true,
    run(call) {
      call.may('ec2:DescribeFlowLogs');
      const { flowLogs, flowLogTraffic = 'ALL' } = call.principal.account.posture;
      const only = wanted(call, 'resource-id');
      const flowLogSet = vpcsOf(call)
        .filter(({ id }) => flowLogs.has(id) && (only?.includes(id) ?? true))
        .map(({ id }) => ({
          flowLogId: `fl-${id.slice(4)}`,
          flowLogStatus: 'ACTIVE',
          deliverLogsStatus: 'SUCCESS',
          resourceId: id,
          trafficType: flowLogTraffic,
          logDestinationType: 's3',
          logDestination: `arn:aws:s3:::flow-logs-${call.principal.account.id}`,
        }));
      return { output: { flowLogSet } };
    },
  },
  GetInstanceMetadataDefaults: {
    readOnly: true,
    run(call) {
      call.may('ec2:GetInstanceMetadataDefaults');
      const tokens = call.principal.account.posture.metadataTokens.get(call.region);
      return { output: { accountLevel: tokens === undefined ? {} : { httpTokens: tokens } } };
    },
  },
};
