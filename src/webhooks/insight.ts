/** CloudTrail Insights: `AWS Insight via CloudTrail` (DOMAIN.md 2.8). It counts calls of an API; nobody in it made one. */
import { z } from 'zod';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { isInsight } from '../domain/record.ts';
import type { Json } from './clean-json.ts';
import { factsOf, given, type ReceivedAlert, received } from './parsed-alert.ts';
import { block, number, text } from './tolerant.ts';

const Insight = z.looseObject({
  state: text,
  insightType: text,
  errorCode: text,
  insightContext: block({
    statistics: block({
      baseline: block({ average: number }),
      insight: block({ average: number }),
      insightDuration: number,
    }),
  }),
});

/** AWS gives none; a rate far from the usual is worth a look, and no more is known. */
const severity = 5;

/** Undefined for a record that is a call. Start and end of one insight are one alert. */
export function readInsight(
  record: CloudTrailRecord,
  content: Json,
  place: {
    readonly accountId?: string | undefined;
    readonly region?: string | undefined;
    readonly at?: string | undefined;
  },
): ReceivedAlert | undefined {
  if (!isInsight(record)) return undefined;
  const { state, insightType, errorCode, insightContext } = Insight.parse(record.insightDetails ?? {});
  const { baseline, insight } = insightContext?.statistics ?? {};
  const { accountId, region, at } = place;
  const id = record.sharedEventID ?? record.eventID;
  return received(
    {
      source: 'cloudtrail',
      key: ['insight', id],
      findingId: id,
      type: insightType ?? 'ApiInsight',
      title: `Unusual activity of ${record.eventName} on ${record.eventSource}`,
      severity,
      updatedAt: at,
      ...given({ accountId, region, lastSeen: at }),
      resource: { type: '' },
      api: { name: record.eventName, service: record.eventSource, ...given({ errorCode }) },
      facts: factsOf({
        State: state === 'End' ? 'ended' : 'going on',
        'Calls a minute': insight?.average,
        'Usual calls a minute': baseline?.average,
      }),
      notes: [
        'CloudTrail gives no severity: medium is assumed',
        'an insight names no caller: /ir search finds the calls',
      ],
    },
    content,
  );
}
