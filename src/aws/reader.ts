/** Read access to one account through one set of credentials. */
import type { AwsReader } from '../contracts/aws.ts';
import { globalRegion } from '../domain/partition.ts';
import { type Credentials, cloudTrailClient, ec2Client, iamClient, readAttempts } from './clients.ts';

/** A reader with its clients, made when first asked for. */
export function reader(accountId: string, partition: string, credentials: Credentials): AwsReader {
  const clientOptions = { credentials, maxAttempts: readAttempts };
  const ec2 = new Map<string, ReturnType<typeof ec2Client>>();
  const cloudtrail = new Map<string, ReturnType<typeof cloudTrailClient>>();
  return {
    accountId,
    partition,
    iam: iamClient(globalRegion(partition), clientOptions),
    ec2(region) {
      const client = ec2.get(region) ?? ec2Client(region, clientOptions);
      ec2.set(region, client);
      const send = async (...args: unknown[]) => {
        const loaded = await client;
        return (loaded.send as (...all: unknown[]) => Promise<unknown>)(...args);
      };
      return { send } as ReturnType<AwsReader['ec2']>;
    },
    cloudtrail(region) {
      const client = cloudtrail.get(region) ?? cloudTrailClient(region, { ...clientOptions, maxAttempts: 1 });
      cloudtrail.set(region, client);
      return client;
    },
  };
}
