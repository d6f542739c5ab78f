/** Reads which network interface has an address. */
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { OwnInterface } from '#src/domain/dossier/ip.ts';
import { everyPage } from '#src/domain/pages.ts';
import type { Look } from './policies.ts';

/** Interfaces of one Region with the address, public or private. Undefined where the Region could not be asked. */
export async function interfacesWith(
  ip: string,
  isPrivate: boolean,
  region: string,
  { reader, asking, signal }: Look,
): Promise<readonly OwnInterface[] | undefined> {
  const name = ip.includes(':')
    ? 'ipv6-addresses.ipv6-address'
    : isPrivate
      ? 'addresses.private-ip-address'
      : 'association.public-ip';
  const found = await asking.ask(
    `network interfaces in ${region} ${reader.accountId}`,
    'ec2:DescribeNetworkInterfaces',
    () =>
      everyPage(async (NextToken) => {
        const input = { Filters: [{ Name: name, Values: [ip] }], NextToken };
        const page = await reader
          .ec2(region)
          .send(new DescribeNetworkInterfacesCommand(input), { abortSignal: signal });
        return { items: page.NetworkInterfaces, next: page.NextToken };
      }),
  );
  return found?.map((one) => ({
    accountId: reader.accountId,
    region,
    interfaceId: one.NetworkInterfaceId ?? '',
    instanceId: one.Attachment?.InstanceId ?? null,
    type: one.InterfaceType ?? 'interface',
    description: one.Description ?? '',
    vpcId: one.VpcId ?? null,
  }));
}
