/** Whether anybody logs which names the machines of an account ask for: Route 53 Resolver's query logs. Reads only. */
import { DescribeNetworkInterfacesCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import {
  ListResolverQueryLogConfigAssociationsCommand,
  ListResolverQueryLogConfigsCommand,
} from '@aws-sdk/client-route53resolver';
import type { AwsReader } from '#src/contracts/aws.ts';
import { listed, paged, soon } from './look.ts';

/**
 * The account's own VPCs with anything in them, and those of them whose DNS queries nobody logs. A VPC that another account shares is
 * logged there, where this one cannot see it; an association that needs help logs nothing. Throws the SDK's errors.
 */
export async function dnsLogsIn(reader: AwsReader, region: string, signal: AbortSignal) {
  const resolver = reader.route53resolver(region);
  const used = await paged(async (token) => {
    const answer = await reader.ec2(region).send(
      new DescribeNetworkInterfacesCommand({
        MaxResults: 1000,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
      soon(signal),
    );
    return {
      items: listed(answer.NetworkInterfaces, 'NetworkInterfaces').flatMap(({ VpcId }) => VpcId ?? []),
      next: answer.NextToken,
    };
  });
  const own = await paged(async (token) => {
    const answer = await reader
      .ec2(region)
      .send(new DescribeVpcsCommand(token === undefined ? {} : { NextToken: token }), soon(signal));
    return { items: listed(answer.Vpcs, 'Vpcs'), next: answer.NextToken };
  });
  const shared = own.filter(({ OwnerId = reader.accountId }) => OwnerId !== reader.accountId).map(({ VpcId }) => VpcId);
  const next = (token: string | undefined) => ({
    MaxResults: 100,
    ...(token === undefined ? {} : { NextToken: token }),
  });
  const configs = await paged(async (token) => {
    const answer = await resolver.send(new ListResolverQueryLogConfigsCommand(next(token)), soon(signal));
    return { items: listed(answer.ResolverQueryLogConfigs, 'ResolverQueryLogConfigs'), next: answer.NextToken };
  });
  const associations = await paged(async (token) => {
    const answer = await resolver.send(new ListResolverQueryLogConfigAssociationsCommand(next(token)), soon(signal));
    return {
      items: listed(answer.ResolverQueryLogConfigAssociations, 'ResolverQueryLogConfigAssociations'),
      next: answer.NextToken,
    };
  });
  const broken = configs.filter(({ Status }) => Status === 'FAILED').map(({ Id }) => Id);
  const logged = associations
    .filter(({ Status, ResolverQueryLogConfigId }) => Status === 'ACTIVE' && !broken.includes(ResolverQueryLogConfigId))
    .map(({ ResourceId }) => ResourceId);
  const vpcs = [...new Set(used)].filter((vpc) => !shared.includes(vpc));
  return { used: vpcs.length, without: vpcs.filter((vpc) => !logged.includes(vpc)), configs: configs.length };
}
