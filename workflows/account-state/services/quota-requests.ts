/** Service Quotas: who asked for higher limits. AWS keeps the requests of 90 days. */
import { ListRequestedServiceQuotaChangeHistoryCommand } from '@aws-sdk/client-service-quotas';
import { listed, paged } from '../look.ts';
import { type Asker, isoOf, short } from './asker.ts';

const open = ['PENDING', 'CASE_OPENED'];

export const quotaRequests: Asker = {
  read: 'service quota requests',
  permissions: ['servicequotas:ListRequestedServiceQuotaChangeHistory'],
  async ask({ reader, region, since, soon }) {
    const all = await paged(async (NextToken) => {
      const command = new ListRequestedServiceQuotaChangeHistoryCommand({ MaxResults: 100, NextToken });
      const page = await reader.serviceQuotas(region).send(command, soon());
      return { items: listed(page.RequestedQuotas, 'RequestedQuotas'), next: page.NextToken };
    });
    const things = all.flatMap((one) => {
      const at = isoOf(one.Created);
      if (at < since && !open.includes(one.Status ?? '')) return [];
      const by = requesterOf(one.Requester);
      const says = `${short(one.ServiceCode, 40)}: ${short(one.QuotaName)} to ${(one.DesiredValue ?? 0).toLocaleString('en-US')}, ${short(one.Status, 30)}${by === '' ? '' : `, by ${by}`}`;
      const marks = at >= since ? ['a higher limit was asked for'] : [];
      return [
        {
          id: one.Id ?? one.QuotaArn ?? '',
          says,
          count: 1,
          at,
          hourly: undefined,
          marks,
          bound: one.GlobalQuota !== true,
        },
      ];
    });
    return { things, total: all.length };
  },
};

/** AWS writes the caller as JSON in a text: `{"accountId":"...","callerArn":"..."}`. */
function requesterOf(requester: string | undefined): string {
  if (requester === undefined) return '';
  try {
    const told: unknown = JSON.parse(requester);
    const arn = typeof told === 'object' && told !== null && 'callerArn' in told ? told.callerArn : undefined;
    return typeof arn === 'string' ? short(arn, 150) : '';
  } catch (error) {
    if (error instanceof SyntaxError) return short(requester);
    throw error;
  }
}
