/** For accounts of which a test uses only some services: what the others throw names them. */
import type { AwsReader } from '../../src/contracts/aws.ts';

export function unusedServices(): Omit<AwsReader, 'accountId' | 'partition'> {
  const refuse = (service: string) => () => {
    throw new Error(`not used here: ${service}`);
  };
  return {
    iam: { send: refuse('iam') },
    organizations: { send: refuse('organizations') },
    sts: { send: refuse('sts') },
    account: { send: refuse('account') },
    support: { send: refuse('support') },
    cloudtrail: refuse('cloudtrail'),
    ec2: refuse('ec2'),
    guardduty: refuse('guardduty'),
    ssm: refuse('ssm'),
    autoScaling: refuse('autoScaling'),
    elb: refuse('elb'),
    elbv2: refuse('elbv2'),
    athena: refuse('athena'),
    awsConfig: refuse('awsConfig'),
    ecs: refuse('ecs'),
    lambda: refuse('lambda'),
    lightsail: refuse('lightsail'),
    route53resolver: refuse('route53resolver'),
    sagemaker: refuse('sagemaker'),
    serviceQuotas: refuse('serviceQuotas'),
    sesv2: refuse('sesv2'),
  };
}
