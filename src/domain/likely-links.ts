/** Links that the records make likely without proving them, and names that stand for more than one identity. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { PivotEdge } from '../contracts/pivot.ts';
import { mintingOf } from './minting.ts';
import { nodeOfArn, text } from './principal.ts';
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

/**
 * The unique ids (AIDA..., AROA...) that stood behind the name of a user or role, in the order in which they acted: more than
 * one means that it was deleted and made again, and that these are different identities.
 */
export function uniqueIdsOf(id: string, records: readonly CloudTrailRecord[]): readonly string[] {
  const found = new Set<string>();
  for (const { userIdentity } of records) {
    const issuer = userIdentity.sessionContext?.sessionIssuer;
    const own = text(userIdentity.principalId);
    if (userIdentity.arn === id && own !== undefined && /^A(IDA|ROA)[A-Z0-9]+/.test(own))
      found.add(own.split(':')[0] ?? '');
    if (issuer?.arn === id && text(issuer.principalId)) found.add(text(issuer.principalId) ?? '');
  }
  return [...found];
}
