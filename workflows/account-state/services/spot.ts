/** What launches instances again when they are stopped: spot requests that stand, spot fleets and fleets. */
import {
  DescribeFleetsCommand,
  DescribeSpotFleetRequestsCommand,
  DescribeSpotInstanceRequestsCommand,
} from '@aws-sdk/client-ec2';
import { isDear } from '#src/domain/instance-prices.ts';
import { count } from '#src/domain/phrases.ts';
import { paged } from '../look.ts';
import { type Asker, idsKept, isoOf, latest, short } from './asker.ts';

const standing = ['submitted', 'active', 'modifying'];
/** Their instances are counted, and priced, with all others. */
const costsNothing = { hourly: undefined, bound: true } as const;

const requests: Asker = {
  read: 'spot requests',
  permissions: ['ec2:DescribeSpotInstanceRequests'],
  async ask({ reader, region, soon }) {
    const all = await paged(async (NextToken) => {
      const input = { Filters: [{ Name: 'state', Values: ['open', 'active'] }], MaxResults: 1000, NextToken };
      const page = await reader.ec2(region).send(new DescribeSpotInstanceRequestsCommand(input), soon());
      return { items: page.SpotInstanceRequests ?? [], next: page.NextToken };
    });
    const groups = Map.groupBy(all, (one) => [one.LaunchSpecification?.InstanceType, one.Type, one.State].join('\n'));
    const things = [...groups.values()].map((same) => {
      const [one] = same;
      const type = one?.LaunchSpecification?.InstanceType ?? '';
      return {
        id: one?.SpotInstanceRequestId ?? '',
        ids: same.flatMap(({ SpotInstanceRequestId }) => SpotInstanceRequestId ?? []).slice(0, idsKept),
        says: `${count(same.length, 'spot request')} for ${type === '' ? 'instances' : short(type)}, ${short(one?.Type, 20)}, ${short(one?.State, 20)}`,
        count: same.length,
        at: latest(same.map(({ CreateTime }) => isoOf(CreateTime))),
        ...costsNothing,
        marks: isDear(type) ? ['GPU or very large'] : [],
      };
    });
    return { things, total: all.length };
  },
};

const spotFleets: Asker = {
  read: 'spot fleets',
  permissions: ['ec2:DescribeSpotFleetRequests'],
  async ask({ reader, region, soon }) {
    const all = await paged(async (NextToken) => {
      const page = await reader.ec2(region).send(new DescribeSpotFleetRequestsCommand({ NextToken }), soon());
      return { items: page.SpotFleetRequestConfigs ?? [], next: page.NextToken };
    });
    const live = all.filter(({ SpotFleetRequestState = '' }) => standing.includes(SpotFleetRequestState));
    const things = live.map((one) => ({
      id: one.SpotFleetRequestId ?? '',
      says: `spot fleet ${short(one.SpotFleetRequestId)} wants ${one.SpotFleetRequestConfig?.TargetCapacity ?? 0}, ${short(one.SpotFleetRequestState, 20)}`,
      ...{ count: 1, at: isoOf(one.CreateTime), ...costsNothing, marks: [] },
    }));
    return { things, total: live.length };
  },
};

const fleets: Asker = {
  read: 'EC2 fleets',
  permissions: ['ec2:DescribeFleets'],
  async ask({ reader, region, soon }) {
    const all = await paged(async (NextToken) => {
      const page = await reader.ec2(region).send(new DescribeFleetsCommand({ NextToken }), soon());
      return { items: page.Fleets ?? [], next: page.NextToken };
    });
    const live = all.filter(({ FleetState = '' }) => standing.includes(FleetState));
    const things = live.map((one) => ({
      id: one.FleetId ?? '',
      says: `fleet ${short(one.FleetId)} wants ${one.TargetCapacitySpecification?.TotalTargetCapacity ?? 0}, ${short(one.Type, 20)}, ${short(one.FleetState, 20)}`,
      ...{ count: 1, at: isoOf(one.CreateTime), ...costsNothing, marks: [] },
    }));
    return { things, total: live.length };
  },
};

export const spot: readonly Asker[] = [requests, spotFleets, fleets];
