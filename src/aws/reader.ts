/** Read access to one account through one set of credentials. */
import type { AwsReader } from '../contracts/aws.ts';
import { globalRegion } from '../domain/partition.ts';
import {
  type ClientOptions,
  type Credentials,
  cloudTrailClient,
  iamClient,
  lateClients,
  readAttempts,
  stsClient,
} from './clients.ts';

type Send = (...args: never[]) => Promise<unknown>;

/** A reader with its clients, made when first asked for. */
export function reader(accountId: string, partition: string, credentials: Credentials): AwsReader {
  const options = { credentials, maxAttempts: readAttempts };
  return {
    accountId,
    partition,
    iam: iamClient(globalRegion(partition), options),
    cloudtrail: perRegion((region) => cloudTrailClient(region, { ...options, maxAttempts: 1 })),
    ec2: perRegion(late(lateClients.ec2, options)),
    guardduty: perRegion(late(lateClients.guardduty, options)),
    ssm: perRegion(late(lateClients.ssm, options)),
    autoScaling: perRegion(late(lateClients.autoScaling, options)),
    elb: perRegion(late(lateClients.elb, options)),
    elbv2: perRegion(late(lateClients.elbv2, options)),
    athena: perRegion(late(lateClients.athena, options)),
    awsConfig: perRegion(late(lateClients.awsConfig, options)),
    ecs: perRegion(late(lateClients.ecs, options)),
    lambda: perRegion(late(lateClients.lambda, options)),
    lightsail: perRegion(late(lateClients.lightsail, options)),
    route53resolver: perRegion(late(lateClients.route53resolver, options)),
    sagemaker: perRegion(late(lateClients.sagemaker, options)),
    serviceQuotas: perRegion(late(lateClients.serviceQuotas, options)),
    sesv2: perRegion(late(lateClients.sesv2, options)),
    organizations: late(lateClients.organizations, options)(globalRegion(partition)),
    sts: stsClient(globalRegion(partition), options),
    account: late(lateClients.account, options)(globalRegion(partition)),
    support: late(lateClients.support, options)(globalRegion(partition)),
  };
}

function perRegion<Client>(open: (region: string) => Client): (region: string) => Client {
  const clients = new Map<string, Client>();
  return (region) => {
    const client = clients.get(region) ?? open(region);
    clients.set(region, client);
    return client;
  };
}

/** A client that is loaded with its first call: most processes need few of them, and some take 130 ms and 70 MB. */
function late<Client extends { send: Send }>(
  load: (region: string, options: ClientOptions) => Promise<Client>,
  options: ClientOptions,
): (region: string) => Pick<Client, 'send'> {
  return (region) => {
    let loading: Promise<Client> | undefined;
    const send = async (...args: never[]) => {
      loading ??= load(region, options);
      return (await loading).send(...args);
    };
    return { send } as Pick<Client, 'send'>;
  };
}
