/** Amazon EC2: spot fleets and fleets, which launch again what is stopped. Reads only. */
import type { Operation } from './service.ts';
import { here, reads } from './service-page.ts';

export const fleetReads: Readonly<Record<string, Operation>> = {
  DescribeSpotFleetRequests: reads('ec2', (call) => ({
    output: {
      spotFleetRequestConfigSet: here(call, call.principal.account.services.spotFleets).map(({ shown }) => shown),
    },
  })),
  DescribeFleets: reads('ec2', (call) => ({
    output: { fleetSet: here(call, call.principal.account.services.fleets).map(({ shown }) => shown) },
  })),
};
