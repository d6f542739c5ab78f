/** Findings for tests: one of Firebreak's own, in EventBridge's spelling, and the shared samples where they are there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Alert } from '../../../src/contracts/alert.ts';
import { parseGuardDuty } from '../../../src/webhooks/guardduty.ts';

export const sharedData = join(import.meta.dirname, '../../../../shared/data');
export const hasSharedData = existsSync(sharedData);

interface Sample {
  readonly name: string;
  readonly body: unknown;
}

/** Every JSON document under the shared folders of events and findings; an empty list where they are absent. */
export function sharedSamples(): Sample[] {
  const files = globSync(join(sharedData, '{eventbridge,findings}/**/*.{json,tpl}'));
  return files.map((file) => ({ name: relative(sharedData, file), body: JSON.parse(readFileSync(file, 'utf8')) }));
}

export function isGuardDuty({ body }: Sample): boolean {
  return (body as { source?: unknown }).source === 'aws.guardduty';
}

type Fields = Readonly<Record<string, unknown>>;

/** A finding about the long-term key of user `pipeline`; `changes` replace fields of `detail`, `service` those of `detail.service`. */
export function finding(changes: Fields = {}, service: Fields = {}): Record<string, unknown> {
  return {
    version: '0',
    id: 'b1f5a1f0-0000-4000-8000-000000000001',
    'detail-type': 'GuardDuty Finding',
    source: 'aws.guardduty',
    account: '999988887777',
    time: '2026-11-20T21:05:00Z',
    region: 'eu-west-1',
    resources: [],
    detail: {
      schemaVersion: '2.0',
      accountId: '111122223333',
      region: 'eu-west-1',
      partition: 'aws',
      id: '3ac1f2d4e5b60718293a4b5c6d7e8f90',
      arn: 'arn:aws:guardduty:eu-west-1:111122223333:detector/ab12/finding/3ac1f2d4e5b60718293a4b5c6d7e8f90',
      type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
      severity: 8,
      title: 'API RunInstances was invoked from a listed IP address.',
      description: 'An API was used from an IP address on a custom threat list.',
      createdAt: '2026-11-20T20:58:11.003Z',
      updatedAt: '2026-11-20T21:04:40.120Z',
      resource: {
        resourceType: 'AccessKey',
        accessKeyDetails: {
          accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
          principalId: 'AIDAIOSFODNN7EXAMPLE',
          userName: 'pipeline',
          userType: 'IAMUser',
        },
      },
      service: {
        serviceName: 'guardduty',
        detectorId: 'ab12',
        resourceRole: 'TARGET',
        count: 3,
        archived: false,
        eventFirstSeen: '2026-11-20T20:58:11Z',
        eventLastSeen: '2026-11-20T21:04:00Z',
        action: {
          actionType: 'AWS_API_CALL',
          awsApiCallAction: {
            api: 'RunInstances',
            serviceName: 'ec2.amazonaws.com',
            remoteIpDetails: {
              ipAddressV4: '198.51.100.7',
              country: { countryName: 'Netherlands' },
              organization: { asn: '64500', asnOrg: 'Example Hosting' },
            },
          },
        },
        ...service,
      },
      ...changes,
    },
  };
}

/** The Alert of a body that must be taken. */
export function alertFrom(body: unknown): Alert {
  const parsed = parseGuardDuty(body);
  if (!parsed.ok) throw new Error(`${parsed.status}: ${parsed.reason}`);
  const [alert] = parsed.alerts;
  if (alert === undefined) throw new Error('no alert');
  return alert;
}
