/** Whether an artifact made a call itself, as against being named in it. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import { holdersOf, runnersOf } from './links-behind.ts';
import { accountOf, nameKeyOfArn, principalGroup, principalOf, roleOf, sessionOf } from './principal.ts';
import { isSameArn } from './short-arn.ts';

/** True where the artifact is the caller, his credential, his address, or the instance or function that he runs on. An event stands for itself. */
export function actsIn(artifact: Artifact, record: CloudTrailRecord): boolean {
  const principal = principalOf(record);
  switch (artifact.kind) {
    case 'event':
      return true;
    case 'accessKey':
      return record.userIdentity.accessKeyId === artifact.id;
    case 'ip':
      return parseIp(record.sourceIPAddress) === artifact.id;
    case 'account':
      return accountOf(record) === artifact.id || record.userIdentity.accountId === artifact.id;
    case 'role':
      return (
        principal !== undefined && sameThing(roleOf(record, principal)?.id ?? principalGroup(principal), artifact.id)
      );
    case 'resource':
      return (
        sessionOf(principal?.id ?? '')?.session === artifact.id ||
        record.userIdentity.principalId === artifact.id ||
        runnersOf(record).some(({ id }) => id === artifact.id)
      );
    case 'federatedUser':
      return (
        (principal !== undefined && sameThing(principal.id, artifact.id)) ||
        [...runnersOf(record), ...holdersOf(record)].some(({ id }) => id === artifact.id)
      );
    default:
      return principal !== undefined && sameThing(principal.id, artifact.id);
  }
}

/** One thing under two spellings: users and roles with and without their path, EC2 and S3 with and without their ARN, names with and without what AWS adds. */
export function sameThing(a: string, b: string): boolean {
  if (isSameArn(a, b)) return true;
  const key = nameKeyOfArn(a);
  if (key !== undefined) return key === nameKeyOfArn(b);
  return bareId(a) === bareId(b);
}

function bareId(id: string): string {
  const [, , service, , , ...rest] = id.split(':');
  const resource = rest.join(':');
  if (!id.startsWith('arn:')) return id;
  if (service === 'ec2') return resource.split('/').at(-1) ?? id;
  return service === 's3' && !resource.includes('/') ? resource : id;
}
