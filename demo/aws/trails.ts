/** AWS CloudTrail: the trails themselves. */
import { AwsError } from './errors.ts';
import { type Call, type Operation, text } from './service.ts';
import type { Posture } from './state.ts';

type Trail = Posture['trails'][number];

function arnOf(call: Call, trail: Trail): string {
  return `arn:aws:cloudtrail:${trail.homeRegion}:${call.principal.account.id}:trail/${trail.name}`;
}

function named(call: Call, action: string, name: string): Trail {
  const { account } = call.principal;
  const trail = account.posture.trails.find((one) => one.name === name || arnOf(call, one) === name);
  const arn = trail ? arnOf(call, trail) : `arn:aws:cloudtrail:${call.region}:${account.id}:trail/${name}`;
  call.may(action, arn);
  if (trail === undefined) {
    const message = `Unknown trail: ${arn} for the user: ${account.id}`;
    throw new AwsError('TrailNotFoundException', 400, message);
  }
  return trail;
}

export const trailReads: Readonly<Record<string, Operation>> = {
  DescribeTrails: {
    readOnly: true,
    run(call) {
      call.may('cloudtrail:DescribeTrails');
      const shadows = call.input.includeShadowTrails !== false;
      const trailList = call.principal.account.posture.trails
        .filter(({ homeRegion, multiRegion }) => homeRegion === call.region || (multiRegion && shadows))
        .map((trail) => ({
          Name: trail.name,
          TrailARN: arnOf(call, trail),
          S3BucketName: trail.bucket,
          HomeRegion: trail.homeRegion,
          IncludeGlobalServiceEvents: true,
          IsMultiRegionTrail: trail.multiRegion,
          LogFileValidationEnabled: trail.validation,
          HasCustomEventSelectors: trail.dataEvents.length > 0,
          HasInsightSelectors: false,
          IsOrganizationTrail: false,
        }));
      return { output: { trailList } };
    },
  },
  GetTrailStatus: {
    readOnly: true,
    run(call) {
      const trail = named(call, 'cloudtrail:GetTrailStatus', text(call.input, 'Name') ?? '');
      return { output: { IsLogging: trail.logging, LatestDeliveryTime: call.now.getTime() / 1000 } };
    },
  },
  GetEventSelectors: {
    readOnly: true,
    run(call) {
      const trail = named(call, 'cloudtrail:GetEventSelectors', text(call.input, 'TrailName') ?? '');
      const DataResources = trail.dataEvents.map((Type) => ({ Type, Values: ['arn:aws:s3'] }));
      return {
        output: {
          TrailARN: arnOf(call, trail),
          EventSelectors: [
            {
              ReadWriteType: trail.recordsOnly === 'none' ? 'All' : (trail.recordsOnly ?? 'All'),
              IncludeManagementEvents: trail.recordsOnly !== 'none',
              DataResources,
              ExcludeManagementEventSources: [],
            },
          ],
        },
      };
    },
  },
};
