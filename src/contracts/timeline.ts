/** One line of a timeline, in the external JSON shape (DESIGN.md 5). */
export interface TimelineEvent {
  readonly eventId: string;
  /** ISO 8601 UTC. */
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  /** As in the pivot; "" where nothing identifies the caller. */
  readonly principal: string;
  /** As the record has it: an address, or a service's name. */
  readonly sourceIp: string;
  readonly outcome: 'success' | 'denied' | 'failed';
  /** ATT&CK ids. */
  readonly technique: readonly string[];
  readonly region: string;
  readonly accountId: string;
  readonly accessKey: string;
  readonly userAgent: string;
  readonly errorCode?: string;
}
