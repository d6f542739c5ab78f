/** An alert: a finding from outside after the door, whatever its source. */

export interface RemoteAddress {
  readonly ip: string;
  /** From the finding itself; absent where it says nothing. */
  readonly country?: string;
  readonly city?: string;
  readonly asn?: string;
  readonly organization?: string;
}

export const alertSources = [
  'guardduty',
  'security-hub',
  'cloudtrail',
  'health',
  'cloudwatch',
  'budgets',
  'cost-anomaly',
  'config',
  'ec2',
  /** Firebreak's own rules over CloudTrail. `type` is the rule's name. */
  'detection',
  /** A person said so: a pasted e-mail, a hunch. */
  'report',
  /** Any other tool, by `/webhooks/alert`. */
  'other',
] as const;
export type AlertSource = (typeof alertSources)[number];

export interface AlertActor {
  readonly principalArn?: string;
  readonly userName?: string;
  readonly userType?: string;
  readonly principalId?: string;
  readonly accessKeyId?: string;
}

/** One observation of an attack sequence. */
export interface AlertSignal {
  /** The ARN of a finding where `type` is FINDING. */
  readonly id?: string;
  /** FINDING, CLOUD_TRAIL, S3_DATA_EVENTS, FLOW_LOGS, ... */
  readonly type: string;
  readonly name: string;
  readonly severity?: number;
  readonly count?: number;
  /** ISO 8601 UTC. */
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  /** `ATTACK_TACTIC: Persistence, Discovery`, one entry per indicator. */
  readonly indicators: readonly string[];
}

/** A tag of a resource that the alert names. Text from outside, and maybe the actor's own claim. */
export interface ResourceTag {
  /** Id or ARN. */
  readonly resource: string;
  readonly key: string;
  readonly value: string;
}

/** A line of the card that only this kind of alert has. */
export interface AlertFact {
  /** Firebreak's own word. */
  readonly label: string;
  /** Text from outside. */
  readonly value: string;
}

export interface Alert {
  readonly source: AlertSource;
  /** One per finding, stable over its updates: (accountId, Region, finding id), hashed. */
  readonly dedupeKey: string;
  /** Orders the updates of one finding: later `updatedAt`, then higher `count`, is newer. */
  readonly updatedAt: string;
  readonly count: number;
  readonly findingId: string;
  readonly findingArn?: string;
  readonly type: string;
  /** GuardDuty's scale, 1.0 to 10.0, whatever the source; 0 where it gave none. */
  readonly severity: number;
  readonly title: string;
  readonly description: string;
  readonly partition: string;
  /** The affected account: `detail.accountId`, not the envelope's. Empty where the alert names none; the Region too. */
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
  /** As the finding tells them; at most 200. */
  readonly resourceTags?: readonly ResourceTag[];
  readonly actor: AlertActor;
  /** Those beside `actor`, where a sequence or a report names several. */
  readonly furtherActors?: readonly AlertActor[];
  /** All access keys that the alert names, the actor's first. Absent: only the actor's. */
  readonly accessKeys?: readonly string[];
  /**
   * ACTOR: our resource acts, so the remote side may be a victim or a command server. TARGET: ours is attacked, or has been:
   * GuardDuty writes it also of an instance that calls a command server. `isAttacked` tells the two apart.
   */
  readonly resourceRole?: 'ACTOR' | 'TARGET';
  /** INBOUND, OUTBOUND or UNKNOWN, where the finding is about a connection. */
  readonly connectionDirection?: string;
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
  /** A person or rule of the product suppressed it (ASFF `Workflow.Status` SUPPRESSED). */
  readonly suppressed?: boolean;
  /** The product itself says that it is over: an alarm that is OK again, a check that passes, a resolved finding. */
  readonly resolved?: boolean;
  /** The product could not tell: a check that could not be made. Not work by itself, and no word that anything is over. */
  readonly undecided?: boolean;
  /** Which product says so, where the source carries several: `Inspector`, `falco`. Text from outside. */
  readonly product?: string;
  /** The finding of another source that this one repeats; such a copy never replaces the original in a case. */
  readonly copyOf?: AlertSource;
  readonly facts?: readonly AlertFact[];
  /** The Slack user id of who reported it. */
  readonly reportedBy?: string;
  /** Of an attack sequence, in the order in which they happened. */
  readonly signals?: readonly AlertSignal[];
  /** What looked odd at the door and is shown on the card: "account is not in the inventory", "type is not known". */
  readonly notes: readonly string[];
}
