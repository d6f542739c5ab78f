/** Amazon EC2 Auto Scaling: the groups. */
import { AwsError } from './errors.ts';
import { type Service, text } from './service.ts';

export const autoscaling: Service = {
  name: 'autoscaling',
  protocol: 'query',
  namespace: 'http://autoscaling.amazonaws.com/doc/2011-01-01/',
  apiVersion: '2011-01-01',
  eventSource: 'autoscaling.amazonaws.com',
  global: false,
  operations: {
    DescribeAutoScalingGroups: {
      readOnly: true,
      run(call) {
        call.may('autoscaling:DescribeAutoScalingGroups');
        const { account } = call.principal;
        const here = account.posture.scalingGroups.filter(({ region }) => region === call.region);
        const size = Number(text(call.input, 'MaxRecords') ?? '50');
        const start = Number(text(call.input, 'NextToken') ?? '0');
        if (!Number.isInteger(size) || size < 1 || size > 100)
          throw new AwsError('ValidationError', 400, 'MaxRecords must be between 1 and 100.');
        if (!Number.isInteger(start) || start < 0)
          throw new AwsError('InvalidNextToken', 400, 'The token is not valid.');
        const end = start + size;
        const AutoScalingGroups = here.slice(start, end).map((group) => ({
          AutoScalingGroupName: group.name,
          AutoScalingGroupARN: `arn:aws:autoscaling:${group.region}:${account.id}:autoScalingGroup:00000000-0000-4000-8000-000000000000:autoScalingGroupName/${group.name}`,
          MinSize: 0,
          MaxSize: group.most,
          DesiredCapacity: group.wanted,
          DefaultCooldown: 300,
          AvailabilityZones: [`${group.region}a`],
          HealthCheckType: 'EC2',
          HealthCheckGracePeriod: 0,
          CreatedTime: group.madeAt,
          Instances: [],
        }));
        return { output: { AutoScalingGroups, ...(end < here.length ? { NextToken: String(end) } : {}) } };
      },
    },
  },
};
