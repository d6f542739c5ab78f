/** What containment reads of EC2, where EC2 gives it in small pages, some of them empty (documented for every filtered list). */
import { describe, expect, it } from 'vitest';
import type { ActionContext } from '../../../src/contracts/action.ts';
import { NotFoundError } from '../../../src/contracts/errors.ts';
import { findInstance } from '../../../workflows/containment/instance/instance-of.ts';
import { interfacesOf } from '../../../workflows/containment/instance/interfaces.ts';

const id = 'i-0aa11bb22cc33dd44';

/** One item a page, behind an empty one. */
function ec2Of(lists: Readonly<Record<string, { readonly field: string; readonly items: readonly unknown[] }>>) {
  const send = (command: { readonly input: { NextToken?: string } }) => {
    const { field, items } = lists[command.constructor.name] ?? { field: '', items: [] };
    const at = command.input.NextToken === undefined ? -1 : Number(command.input.NextToken);
    const NextToken = at + 1 < items.length ? String(at + 1) : '';
    return Promise.resolve({ [field]: at < 0 ? [] : [items[at]], NextToken });
  };
  return { accountId: '111122223333', partition: 'aws', ec2: () => ({ send }) } as unknown as ActionContext['aws'];
}
const signal = new AbortController().signal;

describe('an instance in small pages', () => {
  const target = { instanceId: id, region: 'eu-west-1', accountId: '' };
  const looking = (items: readonly unknown[]) => ({
    aws: ec2Of({ DescribeInstancesCommand: { field: 'Reservations', items } }),
    signal,
    regions: () => Promise.resolve(['eu-west-1']),
  });

  it('is found behind pages without it', async () => {
    const other = { Instances: [{ InstanceId: 'i-0aa11bb22cc33dd45' }] };
    const found = await findInstance(target, looking([other, { Instances: [{ InstanceId: id }] }]));
    expect(found.instance.InstanceId).toBe(id);
  });

  it('is nowhere only where every page was read', async () => {
    await expect(findInstance(target, looking([]))).rejects.toBeInstanceOf(NotFoundError);
  });

  it('has all its interfaces', async () => {
    const items = ['eni-1', 'eni-2', 'eni-3'].map((NetworkInterfaceId) => ({ NetworkInterfaceId, VpcId: 'vpc-1' }));
    const aws = ec2Of({ DescribeNetworkInterfacesCommand: { field: 'NetworkInterfaces', items } });
    const found = await interfacesOf(id, 'eu-west-1', aws, signal);
    expect(found.map((one) => one.id)).toEqual(['eni-1', 'eni-2', 'eni-3']);
  });
});
