/** A GuardDuty finding as EventBridge delivers it, turned into an Alert (DOMAIN.md 2.1 to 2.7). Pure; never throws. */
import { createHash } from 'node:crypto';
import type { Alert } from '../contracts/alert.ts';
import { isKnownFindingType } from '../domain/finding-types.ts';
import { partitionOfRegion } from '../domain/partition.ts';
import { noSeverity } from '../domain/severity.ts';
import { camelKeys, cleanJson, deepestNesting, isRecord, type Json } from './clean-json.ts';
import { Detail } from './guardduty-detail.ts';
import { domainOf, remotesOf } from './guardduty-remote.ts';
import { actorOf, resourceOf, tagsIn } from './guardduty-resource.ts';
import { sequenceActors, signalsOf } from './guardduty-sequence.ts';
import { instantOf } from './instant.ts';

export type ParsedGuardDuty =
  | {
      readonly ok: true;
      readonly alerts: readonly Alert[];
      /** The same for the same finding in the same state, whatever envelope carried it. */
      readonly deliveryKey: string;
      /** What came, safe to store as JSON: dangerous keys and unstorable characters are gone. */
      readonly raw: Json;
    }
  /** `reason` is Firebreak's own words and repeats nothing of what came. */
  | { readonly ok: false; readonly status: 'ignored' | 'malformed'; readonly reason: string };

function malformed(reason: string): ParsedGuardDuty {
  return { ok: false, status: 'malformed', reason };
}
function ignored(reason: string): ParsedGuardDuty {
  return { ok: false, status: 'ignored', reason };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What all updates and copies of one finding have in common, whatever product or door brought them. */
export function findingKey(accountId: string, region: string, id: string): string {
  return sha256(JSON.stringify(['guardduty', accountId, region, id]));
}

/** `additionalInfo` of GetFindings is `{value: "<JSON>"}`; its fields are put where EventBridge has them. */
function unwrapAdditionalInfo(detail: Json): Json {
  if (!isRecord(detail) || !isRecord(detail.service) || !isRecord(detail.service.additionalInfo)) return detail;
  const info = detail.service.additionalInfo;
  if (typeof info.value !== 'string' || !/^\s*\{/.test(info.value)) return detail;
  let inner: Json | undefined;
  try {
    inner = cleanJson(JSON.parse(info.value));
  } catch (thrown) {
    // Not JSON after all: the text stays as it is.
    if (thrown instanceof SyntaxError) return detail;
    throw thrown;
  }
  if (!isRecord(inner)) return detail;
  return { ...detail, service: { ...detail.service, additionalInfo: { ...inner, ...info } } };
}

/**
 * Samples are told by what AWS sets (the flag, the title's beginning, ids that AWS assigns), never by names that people
 * choose: else an attacker who names a user `GeneratedFindingUserName` could not be contained.
 */
function isSample(detail: Detail, resourceIds: readonly string[]): boolean {
  const key = detail.resource?.accessKeyDetails;
  return (
    detail.service?.additionalInfo?.sample === true ||
    /^\s*\[SAMPLE\]/i.test(detail.title ?? '') ||
    /^GeneratedFinding/.test(key?.accessKeyId ?? '') ||
    /^GeneratedFinding/.test(key?.principalId ?? '') ||
    resourceIds.includes('i-99999999')
  );
}

function apiOf(detail: Detail): Alert['api'] {
  const action = detail.service?.action;
  const call = action?.awsApiCallAction;
  const kubernetes = action?.kubernetesApiCallAction;
  const checked = action?.kubernetesPermissionCheckedDetails;
  const name =
    call?.api ??
    ([kubernetes?.verb, kubernetes?.resource ?? kubernetes?.requestUri].filter(Boolean).join(' ') || undefined) ??
    ([checked?.verb, checked?.resource].filter(Boolean).join(' ') || undefined);
  if (name === undefined) return undefined;
  const userAgent = call?.userAgent ?? kubernetes?.userAgent;
  return {
    name,
    ...(call?.serviceName !== undefined && { service: call.serviceName }),
    ...(call?.errorCode !== undefined && { errorCode: call.errorCode }),
    ...(userAgent !== undefined && { userAgent }),
  };
}

interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  readonly notes: readonly string[];
}

/** The affected account is the finding's, not the envelope's: an administrator account sees its members' findings. */
function placeOf(detail: Detail, envelope: { readonly [key: string]: Json }): Place | { missing: string } {
  const [, arnPartition, , arnRegion, arnAccount] =
    /^arn:([^:]*):([^:]*):([^:]*):([^:]*):/.exec(detail.arn ?? '') ?? [];
  const notes: string[] = [];
  const envelopeAccount = typeof envelope.account === 'string' ? envelope.account : undefined;
  const envelopeRegion = typeof envelope.region === 'string' ? envelope.region : undefined;
  const accountId = detail.accountId ?? (arnAccount || envelopeAccount);
  const region = detail.region ?? (arnRegion || envelopeRegion);
  if (!accountId) return { missing: 'detail.accountId is missing' };
  if (!region) return { missing: 'detail.region is missing' };
  if (detail.accountId === undefined)
    notes.push('the finding names no account of its own: the one of its ARN or envelope is shown');
  if (!/^\d{12}$/.test(accountId)) notes.push('the account id does not have 12 digits');
  if (arnAccount && arnAccount !== accountId) notes.push('the ARN of the finding names another account');
  if (arnRegion && arnRegion !== region) notes.push('the ARN of the finding names another Region');
  if (!/^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/.test(region)) notes.push('the Region does not have the form of a Region');
  const said = [detail.partition, arnPartition].find((word) => /^aws(?:-[a-z]+)*$/.test(word ?? ''));
  return { accountId, region, partition: said ?? partitionOfRegion(region), notes };
}

function alertOf(detail: Detail, id: string, type: string, place: Place): Alert {
  const { accountId, region, partition } = place;
  const { resource, resourceIds } = resourceOf(detail);
  const resourceTags = tagsIn(detail);
  const { remote, notes: remoteNotes } = remotesOf(detail);
  const notes = [...place.notes, ...remoteNotes];
  const actor = actorOf(detail, partition, accountId);
  const isSequence = detail.resource?.accessKeyDetails === undefined;
  const furtherActors = isSequence ? sequenceActors(detail).slice(1) : [];
  const { severity } = detail;
  if (severity === undefined) notes.push('the finding gives no severity: it is treated as high');
  else if (severity < 1 || severity > 10) notes.push('the severity is outside of the range 1 to 10');
  if (!isKnownFindingType(type)) notes.push('the type of the finding is not known here');
  if (furtherActors.length > 0) notes.push(`the finding names further actors: ${furtherActors.length}`);
  const updatedAt =
    instantOf(detail.updatedAt) ?? instantOf(detail.service?.eventLastSeen) ?? instantOf(detail.createdAt);
  if (updatedAt === undefined) notes.push('the finding does not say when it was updated');
  const role = detail.service?.resourceRole?.toUpperCase();
  const signals = signalsOf(detail);
  const firstSeen = instantOf(detail.service?.eventFirstSeen) ?? signals.find((it) => it.firstSeen)?.firstSeen;
  const lastSeen =
    instantOf(detail.service?.eventLastSeen) ??
    signals
      .flatMap((it) => it.lastSeen ?? [])
      .sort()
      .at(-1);
  const keys = [actor, ...furtherActors].flatMap((one) => one.accessKeyId ?? []);
  const sequenceArn = detail.associatedAttackSequenceArn;
  const rule = detail.customDetectionRuleName;
  const facts = [
    ...(sequenceArn === undefined ? [] : [{ label: 'Attack sequence', value: sequenceArn }]),
    ...(rule === undefined ? [] : [{ label: 'Custom rule', value: rule }]),
  ];
  const domain = domainOf(detail);
  const api = apiOf(detail);
  const count = detail.service?.count;
  const actionType = detail.service?.action?.actionType;
  const connectionDirection = detail.service?.action?.networkConnectionAction?.connectionDirection;
  return {
    source: 'guardduty',
    dedupeKey: findingKey(accountId, region, id),
    updatedAt: updatedAt ?? new Date(0).toISOString(),
    count: count !== undefined && count >= 1 && count <= Number.MAX_SAFE_INTEGER ? Math.floor(count) : 1,
    findingId: id,
    ...(detail.arn !== undefined && { findingArn: detail.arn }),
    type,
    severity: severity ?? noSeverity,
    title: detail.title ?? type,
    description: detail.description ?? '',
    partition,
    accountId,
    region,
    resource,
    resourceIds,
    ...(resourceTags.length > 0 && { resourceTags }),
    actor,
    ...(furtherActors.length > 0 && { furtherActors, accessKeys: [...new Set(keys)] }),
    ...(signals.length > 0 && { signals }),
    ...(facts.length > 0 && { facts }),
    ...((role === 'ACTOR' || role === 'TARGET') && { resourceRole: role }),
    remote,
    ...(domain !== undefined && { domain }),
    ...(api !== undefined && { api }),
    ...(actionType !== undefined && { actionType }),
    ...(connectionDirection !== undefined && { connectionDirection }),
    ...(firstSeen !== undefined && { firstSeen }),
    ...(lastSeen !== undefined && { lastSeen }),
    sample: isSample(detail, resourceIds),
    archived: detail.service?.archived === true,
    notes,
  };
}

/**
 * Reads a parsed body. `ignored`: understood, and not for Firebreak. `malformed`: says what is wrong. Any finding type
 * passes, known or not; missing blocks are left out of the Alert, oddities end up in its `notes`.
 */
export function parseGuardDuty(body: unknown): ParsedGuardDuty {
  const raw = cleanJson(body);
  if (raw === undefined) return malformed(`the body is nested deeper than ${deepestNesting}`);
  if (!isRecord(raw)) return malformed('the body is not a JSON object');
  const { source, 'detail-type': detailType } = raw;
  if (typeof source !== 'string') return malformed('not an EventBridge event: `source` is missing');
  if (typeof detailType !== 'string') return malformed('not an EventBridge event: `detail-type` is missing');
  // Anybody who may put events on a bus can forge everything but a source that begins with `aws.`.
  if (source !== 'aws.guardduty') return ignored('the source is not aws.guardduty');
  if (detailType !== 'GuardDuty Finding') return ignored('the detail-type is not GuardDuty Finding');
  if (!isRecord(raw.detail)) return malformed('`detail` is missing or not an object');
  return readDetail(raw.detail, raw, raw);
}

/** True for a finding without an envelope, in either spelling: what GetFindings and some forwarders give. */
export function isBareFinding(value: { readonly [key: string]: Json }): boolean {
  const has = (name: string) => name in value || name.charAt(0).toUpperCase() + name.slice(1) in value;
  return has('accountId') && has('type') && has('id') && has('resource') && (has('service') || has('schemaVersion'));
}

/** As `parseGuardDuty`, for a finding without an envelope. */
export function parseBareFinding(raw: { readonly [key: string]: Json }): ParsedGuardDuty {
  return readDetail(raw, {}, raw);
}

/** The Alert of a finding as GetFindings gives it; undefined where it names too little. */
export function alertOfFound(raw: unknown): Alert | undefined {
  const clean = cleanJson(raw);
  const parsed = isRecord(clean) ? parseBareFinding(clean) : undefined;
  return parsed?.ok === true ? parsed.alerts[0] : undefined;
}

/** The Alert of a finding in EventBridge's spelling that another product passed on; undefined where it names too little. */
export function alertOfDetail(found: unknown): Alert | undefined {
  const detail = Detail.parse(found);
  if (detail.id === undefined || detail.type === undefined) return undefined;
  const place = placeOf(detail, {});
  return 'missing' in place ? undefined : alertOf(detail, detail.id, detail.type, place);
}

function readDetail(found: Json, envelope: { readonly [key: string]: Json }, raw: Json): ParsedGuardDuty {
  const normal = unwrapAdditionalInfo(camelKeys(found));
  const detail = Detail.parse(normal);
  if (detail.id === undefined) return malformed('detail.id is missing');
  if (detail.type === undefined) return malformed('detail.type is missing');
  const place = placeOf(detail, envelope);
  if ('missing' in place) return malformed(place.missing);
  const alert = alertOf(detail, detail.id, detail.type, place);
  const deliveryKey = `guardduty-${sha256(JSON.stringify([alert.dedupeKey, normal]))}`;
  return { ok: true, alerts: [alert], deliveryKey, raw };
}
