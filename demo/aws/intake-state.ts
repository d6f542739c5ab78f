/** What the intake services of the world hold: queues with their messages, topics with pending confirmations, detectors. */

export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly sentMs: number;
  /** Hidden until then. */
  visibleMs: number;
  deliveries: number;
  receipt: string | undefined;
}

export interface MessageQueueState {
  readonly url: string;
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly visibilityMs: number;
  readonly messages: QueuedMessage[];
}

/** As EventBridge has it in `detail`. */
export type GuardDutyDetail = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly updatedAt: string;
};

export interface PublishedMessage {
  readonly id: string;
  readonly topicArn: string;
  readonly message: string;
  readonly subject: string | undefined;
  readonly group: string | undefined;
  readonly deduplicationId: string | undefined;
}

export interface IntakeState {
  /** What was published to topics, oldest first; a repeat with a deduplication id is there once. */
  readonly published: PublishedMessage[];
  readonly queues: Map<string, MessageQueueState>;
  /** Token to topic. A token may be used again for the same topic. */
  readonly confirmations: Map<string, { readonly topicArn: string; confirmed: string | undefined }>;
  /** By `account/region`: the detector's id; a place without one has GuardDuty off. */
  readonly detectors: Map<string, string>;
  /** The account that GuardDuty was delegated to: its detectors hold the findings of all accounts. */
  administrator?: string;
  /** By `account/region/id`. */
  readonly findings: Map<string, GuardDutyDetail>;
}

export function newIntakeState(): IntakeState {
  return { published: [], queues: new Map(), confirmations: new Map(), detectors: new Map(), findings: new Map() };
}

/** Puts a finding into GuardDuty, or its newer state in the place of the older. */
export function putFinding(state: IntakeState, detail: GuardDutyDetail): void {
  state.findings.set(`${detail.accountId}/${detail.region}/${detail.id}`, detail);
}
