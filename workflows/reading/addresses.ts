/** Reads which network interface has an address. */
import { DescribeNetworkInterfacesCommand, type NetworkInterface } from '@aws-sdk/client-ec2';
import type { OwnInterface } from '#src/domain/dossier/ip.ts';
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
    async () => {
      const list: NetworkInterface[] = [];
      let token: string | undefined;
      do {
        const page = await reader
          .ec2(region)
          .send(new DescribeNetworkInterfacesCommand({ Filters: [{ Name: name, Values: [ip] }], NextToken: token }), {
            abortSignal: signal,
          });
        list.push(...(page.NetworkInterfaces ?? []));
        token = page.NextToken;
      } while (token !== undefined && token !== '');
      return list;
    },
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
