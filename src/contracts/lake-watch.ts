/** The lake as the stream sees it: parts that never change once they are there. */
import type { CloudTrailRecord } from './cloudtrail.ts';
import type { Narrowing } from './condition.ts';

export interface LakeWatch {
  /** Parts with records; `last` is the time of the newest one, ISO 8601 UTC. Empty where there is no lake. */
  shards(): Promise<readonly { readonly name: string; readonly last: string }[]>;
  /** Records of one part from `since` on, ISO 8601 UTC. Throws where it cannot be read. */
  records(name: string, since: string, narrowing: Narrowing): AsyncIterable<CloudTrailRecord>;
}
