/**
 * An artifact: a thing that can be pivoted on. `id` is exactly what AWS writes: the ARN as in `userIdentity.arn`,
 * the access key id, the bare IP address, `i-...` and other resource ids or ARNs, the 12-digit account, the event id.
 */
export const nodeKinds = [
  'user',
  'role',
  'session',
  'root',
  'federatedUser',
  'service',
  'account',
  'accessKey',
  'ip',
  'resource',
] as const;
export type NodeKind = (typeof nodeKinds)[number];

export interface Artifact {
  readonly kind: NodeKind | 'event';
  readonly id: string;
}

export const edgeKinds = [
  'used-ip',
  'used-key',
  'assumed',
  'minted',
  'created',
  'changed',
  'deleted',
  'runs-as',
  'same-as',
] as const;
export type EdgeKind = (typeof edgeKinds)[number];
