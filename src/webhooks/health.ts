/** AWS Health: exposed credentials, abuse reports, maintenance (DOMAIN.md 2.10). */
import { z } from 'zod';
import type { Alert } from '../contracts/alert.ts';
import { accessKeyId } from '../domain/access-key.ts';
import { artifactsIn } from '../domain/artifacts-in-text.ts';
import { instantOf } from './instant.ts';
import { type Envelope, factsOf, given, malformed, type Reading, received } from './parsed-alert.ts';
import { block, list, text } from './tolerant.ts';

const Detail = z.looseObject({
  eventArn: text,
  service: text,
  eventTypeCode: text,
  eventTypeCategory: text,
  eventScopeCode: text,
  statusCode: text,
  startTime: text,
  endTime: text,
  lastUpdatedTime: text,
  eventDescription: list(z.looseObject({ language: text, latestDescription: text })),
  affectedEntities: list(z.looseObject({ entityValue: text, status: text })),
  eventRegion: text,
  affectedAccount: text,
  communicationId: text,
  page: text,
  totalPages: text,
  eventMetadata: block({}),
});

const mostResources = 400;

/** Firebreak's own scale: Health gives none. */
function severityOf(code: string, category: string | undefined, detailType: string): number {
  if (/CREDENTIALS_EXPOSED|CREDENTIALS_COMPROMISE|IAM_QUARANTINE/.test(code)) return 9.5;
  if (/ABUSE/.test(code) || /Abuse/.test(detailType)) return 8;
  if (/^AWS_(?:RISK|SECURITY)_/.test(code)) return 7;
  if (category === 'issue') return 5;
  return category === 'investigation' ? 4 : 2;
}

/** A problem or a change ends with its event. What an account is told (a key in public, an abuse report) is not over with it. */
function endsWithEvent(category: string | undefined): boolean {
  return category === 'issue' || category === 'investigation' || category === 'scheduledChange';
}

export function readHealth({ detail, detailType, account, region, time, resources }: Envelope): Reading {
  const found = Detail.parse(detail);
  const { eventTypeCode: code, eventTypeCategory: category, service } = found;
  if (code === undefined) return malformed('detail.eventTypeCode is missing');
  const accountId = found.affectedAccount ?? account;
  const entities = [...new Set([...found.affectedEntities.flatMap((it) => it.entityValue ?? []), ...resources])];
  const keys = entities.filter((entity) => accessKeyId.test(entity) || /^(?:AKIA|ASIA)[A-Z0-9]{12,}$/.test(entity));
  const others = entities.filter((entity) => !keys.includes(entity));
  const said =
    found.eventDescription.find((it) => it.language?.startsWith('en'))?.latestDescription ??
    found.eventDescription[0]?.latestDescription ??
    '';
  // An abuse report names the address or instance in its text more often than among the entities.
  const inText = artifactsIn([...others, said].join('\n'));
  const ips = inText.filter(({ kind }) => kind === 'ip').map(({ id }) => id);
  const resourceIds = [
    ...new Set([...others, ...inText.filter(({ kind }) => kind === 'resource').map(({ id }) => id)]),
  ];
  const arn = found.eventArn ?? `${code}/${found.communicationId ?? found.startTime ?? ''}`;
  const key = keys[0];
  const main = resourceIds[0];
  const resource: Alert['resource'] =
    key !== undefined ? { type: 'AccessKey' } : { type: 'Health', ...given({ id: main }) };
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'health',
          key: [arn, accountId ?? ''],
          findingId: arn,
          findingArn: arn,
          type: code,
          title: said.split('\n')[0]?.slice(0, 300) || code,
          description: said,
          severity: severityOf(code, category, detailType),
          updatedAt: instantOf(found.lastUpdatedTime) ?? instantOf(time) ?? instantOf(found.startTime),
          ...given({
            accountId,
            region: found.eventRegion ?? region,
            firstSeen: instantOf(found.startTime),
            lastSeen: instantOf(found.lastUpdatedTime) ?? instantOf(found.startTime),
            product: service,
          }),
          resource,
          resourceIds: resourceIds.slice(0, mostResources),
          actor: given({ accessKeyId: key }),
          ...(keys.length > 1 && {
            accessKeys: keys,
            furtherActors: keys.slice(1).map((one) => ({ accessKeyId: one })),
          }),
          remote: ips.map((ip) => ({ ip })),
          resolved: found.statusCode === 'closed' && endsWithEvent(category),
          facts: factsOf({
            Category: category,
            Until: instantOf(found.endTime),
            'Page of the message':
              found.totalPages !== undefined && found.totalPages !== '1'
                ? `${found.page ?? '?'} of ${found.totalPages}`
                : undefined,
          }),
        },
        detail,
      ),
    ],
  };
}
