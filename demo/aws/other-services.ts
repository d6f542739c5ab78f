/** Services that run nothing: Amazon SES (v2), Service Quotas, AWS Support, Route 53 Resolver. Reads only. */
import { AwsError } from './errors.ts';
import type { Value } from './protocols.ts';
import { type Call, type Service, text } from './service.ts';
import { here, page, reads } from './service-page.ts';

const upper = { asks: 'NextToken', gives: 'NextToken' } as const;
const common = { namespace: '', apiVersion: '', global: false } as const;

const sandbox = {
  ...{ ProductionAccessEnabled: false, SendingEnabled: true, EnforcementStatus: 'HEALTHY' },
  ...{ DedicatedIpAutoWarmupEnabled: false },
  SendQuota: { Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 0 },
};

export const ses: Service = {
  ...{ ...common, name: 'ses', protocol: 'rest', eventSource: 'ses.amazonaws.com' },
  routes: [
    { method: 'GET', path: /^\/v2\/email\/account$/, operation: 'GetAccount' },
    { method: 'GET', path: /^\/v2\/email\/identities$/, operation: 'ListEmailIdentities' },
    { method: 'POST', path: /^\/v2\/email\/list-identities$/, operation: 'ListEmailIdentities' },
  ],
  operations: {
    GetAccount: reads('ses', (call) => ({
      output: call.principal.account.services.mail.get(call.region)?.account ?? sandbox,
    })),
    ListEmailIdentities: reads('ses', (call) => {
      const all = call.principal.account.services.mail.get(call.region)?.identities ?? [];
      return page(call.input, all, { list: 'EmailIdentities', ...upper });
    }),
  },
};

export const serviceQuotas: Service = {
  ...{ ...common, name: 'servicequotas', protocol: 'json', eventSource: 'servicequotas.amazonaws.com' },
  operations: {
    ListRequestedServiceQuotaChangeHistory: reads('servicequotas', (call) => {
      const all = here(call, call.principal.account.services.quotaRequests).map(({ shown }) => shown);
      return page(call.input, all, { list: 'RequestedQuotas', ...upper });
    }),
  },
};

export const support: Service = {
  ...{ ...common, name: 'support', protocol: 'json', eventSource: 'support.amazonaws.com', global: true },
  operations: {
    DescribeCases: reads('support', (call) => {
      const { supportCases } = call.principal.account.services;
      if (supportCases === undefined) {
        const message = 'Amazon Web Services Premium Support Subscription is required to use this service.';
        throw new AwsError('SubscriptionRequiredException', 400, message);
      }
      const after = text(call.input, 'afterTime') ?? '';
      const all = supportCases.filter(
        ({ timeCreated, status }) =>
          String(timeCreated) >= after && (call.input.includeResolvedCases === true || status !== 'resolved'),
      );
      return page(call.input, all, { list: 'cases', asks: 'nextToken', gives: 'nextToken' });
    }),
  },
};

const configId = 'rqlc-0123456789abcdef0';

/** One configuration in each Region in which a VPC is logged. */
function loggedIn(call: Call): readonly string[] {
  const { instances, services } = call.principal.account;
  const vpcs = instances.filter(({ region }) => region === call.region).map(({ vpcId }) => vpcId);
  return [...new Set(vpcs)].filter((id) => services.queryLogs.has(id));
}

export const route53resolver: Service = {
  ...{ ...common, name: 'route53resolver', protocol: 'json', eventSource: 'route53resolver.amazonaws.com' },
  operations: {
    ListResolverQueryLogConfigs: reads('route53resolver', (call) => {
      const { id } = call.principal.account;
      const own = loggedIn(call);
      const config = {
        ...{ Id: configId, OwnerId: id, Status: 'CREATED', AssociationCount: own.length, Name: 'dns' },
        Arn: `arn:aws:route53resolver:${call.region}:${id}:resolver-query-log-config/${configId}`,
        DestinationArn: `arn:aws:s3:::dns-logs-${id}`,
      };
      return page(call.input, own.length > 0 ? [config] : [], { list: 'ResolverQueryLogConfigs', ...upper });
    }),
    ListResolverQueryLogConfigAssociations: reads('route53resolver', (call) => {
      const all = loggedIn(call).map(
        (vpc): Value => ({
          ...{ Id: `rqlca-${vpc.slice(4)}`, ResolverQueryLogConfigId: configId, ResourceId: vpc },
          ...{ Status: 'ACTIVE', Error: 'NONE' },
        }),
      );
      return page(call.input, all, { list: 'ResolverQueryLogConfigAssociations', ...upper });
    }),
  },
};
