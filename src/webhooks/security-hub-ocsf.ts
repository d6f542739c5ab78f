/** Findings of the newer Security Hub, in OCSF: EventBridge's `Findings Imported V2` (DOMAIN.md 2.10). */
import { z } from 'zod';
import type { Alert, RemoteAddress } from '../contracts/alert.ts';
import { parseIp } from '../domain/address.ts';
import { artifactsIn } from '../domain/artifacts-in-text.ts';
import { isRecord, type Json } from './clean-json.ts';
import { findingKey } from './guardduty.ts';
import { instantOf } from './instant.ts';
import {
  factsOf,
  given,
  type JsonObject,
  malformed,
  type Reading,
  type ReceivedAlert,
  received,
} from './parsed-alert.ts';
import { guardDutyArn, guardDutyType } from './security-hub-guardduty.ts';
import { block, list, number, text } from './tolerant.ts';

const Endpoint = block({
  ip: text,
  hostname: text,
  location: block({ country: text, city: text }),
  autonomous_system: block({ name: text, number: text }),
});
const User = block({ name: text, uid: text, type: text, credential_uid: text });
const Evidence = z.looseObject({
  actor: block({ user: User }),
  api: block({ operation: text, service: block({ name: text }), response: block({ error: text }) }),
  src_endpoint: Endpoint,
  dst_endpoint: Endpoint,
});
const Ocsf = z.looseObject({
  class_name: text,
  activity_name: text,
  severity: text,
  severity_id: number,
  status: text,
  time: text,
  time_dt: text,
  metadata: block({ uid: text, product: block({ name: text, uid: text, vendor_name: text }) }),
  cloud: block({ account: block({ uid: text, name: text }), region: text, cloud_partition: text }),
  finding_info: block({
    uid: text,
    title: text,
    desc: text,
    types: list(text),
    created_time_dt: text,
    created_time: text,
    modified_time_dt: text,
    modified_time: text,
    first_seen_time_dt: text,
    first_seen_time: text,
    last_seen_time_dt: text,
    last_seen_time: text,
  }),
  compliance: block({ status: text, control: text }),
  resources: list(
    z.looseObject({
      uid: text,
      name: text,
      type: text,
      region: text,
      cloud_partition: text,
      owner: block({ account: block({ uid: text }) }),
    }),
  ),
  evidences: list(Evidence),
  vulnerabilities: list(z.looseObject({ cve: block({ uid: text }) })),
});
type Ocsf = z.output<typeof Ocsf>;

/** OCSF's severity_id: 1 informational to 5 critical, 6 fatal; 0 and 99 say nothing. */
const severities: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 5, 4: 8, 5: 9.5, 6: 10 };
const severityIds: Readonly<Record<string, number>> = {
  informational: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
  fatal: 6,
};

function remotesOf(evidences: Ocsf['evidences']): readonly RemoteAddress[] {
  const byIp = new Map<string, RemoteAddress>();
  for (const endpoint of evidences.flatMap((it) => [it.src_endpoint, it.dst_endpoint])) {
    const ip = parseIp(endpoint?.ip ?? '');
    if (ip === undefined || byIp.has(ip)) continue;
    byIp.set(ip, {
      ip,
      ...given({
        country: endpoint?.location?.country,
        city: endpoint?.location?.city,
        asn: endpoint?.autonomous_system?.number,
        organization: endpoint?.autonomous_system?.name,
      }),
    });
  }
  return [...byIp.values()].slice(0, 100);
}

function actorOf(finding: Ocsf, keyId: string | undefined): Alert['actor'] {
  const user = finding.evidences.find((it) => it.actor?.user !== undefined)?.actor?.user;
  const isArn = /^arn:/.test(user?.uid ?? '');
  return given({
    principalArn: isArn ? user?.uid : undefined,
    principalId: isArn ? undefined : user?.uid,
    userName: user?.name,
    userType: user?.type,
    accessKeyId: user?.credential_uid ?? keyId,
  });
}

function readOcsf(found: Json): ReceivedAlert | { readonly missing: string } {
  if (!isRecord(found)) return { missing: 'the finding is not an object' };
  const finding = Ocsf.parse(found);
  const info = finding.finding_info;
  const id = info?.uid ?? finding.metadata?.uid;
  if (id === undefined) return { missing: 'finding_info.uid is missing' };
  const resources = finding.resources;
  const main = resources.find((it) => it.type !== 'AwsAccount' && it.uid !== undefined) ?? resources[0];
  const accountId = finding.cloud?.account?.uid ?? main?.owner?.account?.uid;
  const region = finding.cloud?.region ?? main?.region;
  const api = finding.evidences.find((it) => it.api?.operation !== undefined)?.api;
  const inIds = artifactsIn(resources.flatMap((it) => it.uid ?? []).join('\n'));
  const ids = resources.flatMap(({ uid }) =>
    uid === undefined ? [] : [artifactsIn(uid).find(({ kind }) => kind !== 'account')?.id ?? uid],
  );
  const original = [info?.uid, finding.metadata?.uid].find((uid) => guardDutyArn.test(uid ?? ''));
  const product = finding.metadata?.product?.name;
  const type =
    (original === undefined ? undefined : guardDutyType(info?.types ?? [])) ??
    info?.types[0] ??
    finding.class_name ??
    'not named';
  const status = finding.status?.toLowerCase();
  const severityId = finding.severity_id ?? severityIds[finding.severity?.toLowerCase() ?? ''] ?? 0;
  const at = (dateTime: string | undefined, epoch: string | undefined) => instantOf(dateTime) ?? instantOf(epoch);
  const draft = received(
    {
      source: 'security-hub',
      key: [id],
      findingId: id,
      type,
      title: info?.title ?? type,
      description: info?.desc ?? '',
      updatedAt:
        at(info?.modified_time_dt, info?.modified_time) ??
        at(finding.time_dt, finding.time) ??
        at(info?.created_time_dt, info?.created_time),
      ...given({
        severity: severities[severityId],
        accountId,
        region,
        partition: finding.cloud?.cloud_partition ?? main?.cloud_partition,
        firstSeen: at(info?.first_seen_time_dt, info?.first_seen_time),
        lastSeen: at(info?.last_seen_time_dt, info?.last_seen_time),
        product,
        api:
          api?.operation === undefined
            ? undefined
            : {
                name: api.operation,
                ...given({ service: api.service?.name, errorCode: api.response?.error }),
              },
      }),
      archived: status === 'archived',
      suppressed: status === 'suppressed',
      resolved: status === 'resolved' || /^pass/i.test(finding.compliance?.status ?? ''),
      resource: {
        type: main?.type ?? '',
        ...given({ id: ids[resources.indexOf(main as never)] ?? ids[0], name: main?.name }),
      },
      resourceIds: [...new Set(ids)].slice(0, 400),
      actor: actorOf(finding, inIds.find(({ kind }) => kind === 'accessKey')?.id),
      remote: remotesOf(finding.evidences),
      sample: /^\s*\[SAMPLE\]/i.test(info?.title ?? ''),
      facts: factsOf({
        Class: finding.class_name,
        Control: finding.compliance?.control,
        Check: finding.compliance?.status,
        Status: finding.status,
        Vulnerability: finding.vulnerabilities
          .flatMap((it) => it.cve?.uid ?? [])
          .slice(0, 5)
          .join(', '),
      }),
    },
    found,
  );
  if (original === undefined) return draft;
  const [, , , arnRegion = '', arnAccount = '', resource = ''] = original.split(':');
  const dedupeKey = findingKey(accountId ?? arnAccount, arnRegion, resource.split('/').at(-1) ?? '');
  return { ...draft, alert: { ...draft.alert, copyOf: 'guardduty', dedupeKey, findingArn: original } };
}

/** True for a finding without an envelope. */
export function isOcsf(value: JsonObject): boolean {
  return isRecord(value.finding_info) && ('class_uid' in value || 'metadata' in value);
}

export function readOcsfFindings(findings: Json | undefined): Reading {
  if (!Array.isArray(findings) || findings.length === 0) return malformed('detail.findings is missing or empty');
  const read = findings.map(readOcsf);
  const alerts = read.filter((one) => 'alert' in one);
  const bad = read.find((one) => 'missing' in one);
  return alerts.length === 0 ? malformed(bad?.missing ?? 'the finding is not readable') : { ok: true, alerts };
}
