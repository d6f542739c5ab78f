/** Links that the records make likely without proving them, and names that stand for more than one identity. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { PivotEdge } from '../contracts/pivot.ts';
import { at } from './links-fields.ts';
import { mintingOf } from './minting.ts';
import { nameKeyOfArn, nodeOfArn, parseArn, principalOf, sessionOf, succeeded, text } from './principal.ts';
import { stampSlackMs } from './session-search.ts';

/**
 * Where the record of a minting hides the key: the keys that calls of that very session used, which say that it began within
 * two seconds of the minting (DOMAIN.md 4.1 d). Role and session name are the same by the session's ARN. Both ends must be
 * among `ids`.
 */
export function likelyMintings(
  records: readonly CloudTrailRecord[],
  ids: { has(id: string): boolean },
): readonly PivotEdge[] {
  const bySession = Map.groupBy(
    records.filter((record) => nodeOfArn(text(record.userIdentity.arn) ?? '')?.kind === 'session'),
    (record) => record.userIdentity.arn ?? '',
  );
  const edges = new Map<string, PivotEdge>();
  for (const record of records) {
    const minting = mintingOf(record);
    if (!minting || minting.accessKey || !minting.identity || !ids.has(minting.by)) continue;
    const minted = Date.parse(minting.eventTime);
    for (const call of bySession.get(minting.identity) ?? []) {
      const began = Date.parse(call.userIdentity.sessionContext?.attributes?.creationDate ?? '');
      const key = text(call.userIdentity.accessKeyId);
      if (key === undefined || !ids.has(key) || !(Math.abs(began - minted) <= stampSlackMs)) continue;
      const had = edges.get(`${minting.by}\n${key}`);
      const eventIds = [...new Set([...(had?.eventIds ?? []), minting.eventId])];
      edges.set(`${minting.by}\n${key}`, {
        ...{ from: minting.by, to: key, kind: 'minted', events: eventIds.length, eventIds, likely: true },
      });
    }
  }
  return [...edges.values()];
}

/** Between the click in the access portal and the session that it gives. */
const federateSlackMs = 5_000;

/**
 * The access portal tells which person took which permission set in which account, and not the session: that is the one of the
 * role made for the permission set in that account which began at that moment. Both ends must be among `ids`.
 */
export function likelyFederations(
  records: readonly CloudTrailRecord[],
  ids: { has(id: string): boolean },
): readonly PivotEdge[] {
  const federations = records.filter(
    ({ eventSource, eventName }) =>
      eventSource === 'sso.amazonaws.com' && (eventName === 'Federate' || eventName === 'GetRoleCredentials'),
  );
  if (federations.length === 0) return [];
  const edges = new Map<string, PivotEdge>();
  for (const call of records) {
    const arn = text(call.userIdentity.arn) ?? '';
    const session = sessionOf(arn);
    const began = Date.parse(call.userIdentity.sessionContext?.attributes?.creationDate ?? '');
    if (!session || !ids.has(arn) || Number.isNaN(began)) continue;
    for (const record of federations) {
      const person = principalOf(record);
      const details = record.serviceEventDetails ?? record.requestParameters;
      const set = at(details, 'role_name') ?? at(details, 'roleName');
      const account = at(details, 'account_id') ?? at(details, 'accountId');
      const isRole = set !== undefined && isRoleOfSet(session.role, set) && parseArn(arn)?.accountId === account;
      if (!person || !ids.has(person.id) || !isRole) continue;
      if (Math.abs(began - Date.parse(record.eventTime)) > federateSlackMs) continue;
      const key = `${person.id}\n${arn}`;
      const eventIds = [...new Set([...(edges.get(key)?.eventIds ?? []), record.eventID])];
      edges.set(key, { from: person.id, to: arn, kind: 'assumed', events: eventIds.length, eventIds, likely: true });
    }
  }
  return [...edges.values()];
}

/** `AWSReservedSSO_AdministratorAccess_0123456789abcdef` of the permission set `AdministratorAccess`. */
function isRoleOfSet(role: string, set: string): boolean {
  return (
    role.startsWith(`AWSReservedSSO_${set}_`) && /^[0-9a-f]{16}$/.test(role.slice(`AWSReservedSSO_${set}_`.length))
  );
}

/**
 * The unique ids (AIDA..., AROA...) that stood behind the name of a user or role, in the order in which they acted or were made:
 * more than one means that it was deleted and made again, and that these are different identities. Paths do not count: names
 * are unique without them.
 */
export function uniqueIdsOf(id: string, records: readonly CloudTrailRecord[]): readonly string[] {
  const name = nameKeyOfArn(id);
  const found = new Set<string>();
  const known = new Map<string, boolean>();
  const isName = (arn: unknown): boolean => {
    if (name === undefined || typeof arn !== 'string') return false;
    const is = known.get(arn) ?? nameKeyOfArn(arn) === name;
    known.set(arn, is);
    return is;
  };
  for (const record of records) {
    const { arn, sessionContext } = record.userIdentity;
    const own = uniqueIdIn(record);
    const issuer = sessionContext?.sessionIssuer;
    if (own !== undefined && isName(arn)) found.add(own);
    const issuerId = text(issuer?.principalId);
    if (issuerId !== undefined && isName(issuer?.arn)) found.add(issuerId);
    const made = name === undefined ? undefined : createdId(record, name);
    if (made !== undefined) found.add(made);
  }
  return [...found];
}

/** The unique id of the user or role that made the call. */
export function uniqueIdIn({ userIdentity }: CloudTrailRecord): string | undefined {
  const own = text(userIdentity.principalId);
  return own !== undefined && /^A(IDA|ROA)[A-Z0-9]+/.test(own) ? own.split(':')[0] : undefined;
}

/** The unique id that a creation of the user or role of this name gave it. */
export function createdId(record: CloudTrailRecord, name: string): string | undefined {
  if (record.eventSource !== 'iam.amazonaws.com' || !succeeded(record)) return undefined;
  const [sort, id] =
    record.eventName === 'CreateUser'
      ? ['user', 'userId']
      : record.eventName === 'CreateRole'
        ? ['role', 'roleId']
        : [];
  if (sort === undefined || id === undefined) return undefined;
  const isIt = nameKeyOfArn(at(record.responseElements, sort, 'arn') ?? '') === name;
  return isIt ? at(record.responseElements, sort, id) : undefined;
}
