import { expect, it } from 'vitest';
import type { AwsReach } from '#src/contracts/aws.ts';
import { accountPosture } from '../../../workflows/account-state/posture.ts';

it('takes an answer without its list, a proxy page say, for no answer, and not for "there is none"', async () => {
  const client = { send: async () => ({}) };
  const reader = {
    ...{ accountId: '111122223333', partition: 'aws', iam: client, account: client },
    ...{ ec2: () => client, route53resolver: () => client, guardduty: () => client, cloudtrail: () => client },
  };
  const reach = { reader: async () => reader, regions: async () => ['us-east-1'] } as unknown as AwsReach;
  const ctx = { signal: new AbortController().signal, progress: () => undefined };

  const { regions } = await accountPosture(reach, '111122223333', undefined, ctx);

  const { vpcs, dnsLogs, openMetadata } = regions[0] ?? {};
  expect([vpcs, dnsLogs, openMetadata].map((looked) => looked?.ok)).toEqual([false, false, false]);
});
