/** An alert: a finding from outside after the door, whatever its source. */

export interface RemoteAddress {
  readonly ip: string;
  /** From the finding itself; absent where it says nothing. */
  readonly country?: string;
  readonly city?: string;
  readonly asn?: string;
  readonly organization?: string;
}

export interface Alert {
  readonly source: 'guardduty';
  /** One per finding, stable over its updates: (accountId, Region, finding id), hashed. */
  readonly dedupeKey: string;
  /** Orders the updates of one finding: later `updatedAt`, then higher `count`, is newer. */
  readonly updatedAt: string;
  readonly count: number;
  readonly findingId: string;
  readonly findingArn?: string;
  readonly type: string;
  /** 1.0 to 10.0 as GuardDuty gives it. */
  readonly severity: number;
  readonly title: string;
  readonly description: string;
  readonly partition: string;
  /** The affected account: `detail.accountId`, not the envelope's. */
  readonly accountId: string;
  readonly region: string;
  readonly resource: {
    readonly type: string;
    /** `i-...`, a bucket, a cluster, ...; undefined where the finding names none. */
    readonly id?: string;
    readonly name?: string;
  };
  /** All resource ids that the finding names (an AttackSequence names many). */
  readonly resourceIds: readonly string[];
  readonly actor: {
    readonly principalArn?: string;
    readonly userName?: string;
    readonly userType?: string;
    readonly principalId?: string;
    readonly accessKeyId?: string;
  };
  /** ACTOR: our resource acts, so the remote side may be a victim or a command server. TARGET: ours is attacked. */
  readonly resourceRole?: 'ACTOR' | 'TARGET';
  readonly remote: readonly RemoteAddress[];
  readonly domain?: string;
  /** The API called, where the finding is about one: `ListBuckets on s3.amazonaws.com`. */
  readonly api?: {
    readonly name: string;
    readonly service?: string;
    readonly errorCode?: string;
    readonly userAgent?: string;
  };
  readonly actionType?: string;
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  readonly sample: boolean;
  readonly archived: boolean;
  /** Of an attack sequence, in the order in which they happened. */
  readonly signals?: readonly { readonly id?: string; readonly type: string }[];
  /** What looked odd at the door and is shown on the card: "account is not in the inventory", "type is not known". */
  readonly notes: readonly string[];
}
