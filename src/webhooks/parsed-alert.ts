/** What reading an event gives, and how a reader of one kind turns what it found into an Alert. */
import { createHash } from 'node:crypto';
import type { Alert } from '../contracts/alert.ts';
import { partitionOfRegion } from '../domain/partition.ts';
import { noSeverity } from '../domain/severity.ts';
import type { Json } from './clean-json.ts';

export interface ReceivedAlert {
  readonly alert: Alert;
  /** The same for the same finding in the same state, whatever door and envelope brought it. */
  readonly deliveryKey: string;
  /** The event that it came in, where the body held several. */
  readonly raw?: Json;
}

export interface Refusal {
  readonly ok: false;
  /** ignored: understood, and not for Firebreak (answer 200, delete the message). malformed: answer 400, or a dead letter. */
  readonly status: 'ignored' | 'malformed';
  /** Firebreak's own words; repeats nothing of what came. */
  readonly reason: string;
}

export type ParsedAlert =
  | {
      readonly ok: true;
      /** At least one. Each is stored on its own with `raw`. */
      readonly alerts: readonly ReceivedAlert[];
      /** What came, safe to store as JSON: dangerous keys, secrets and unstorable characters are gone. */
      readonly raw: Json;
      /** What could not be read of a list beside the alerts, in words. */
      readonly unread?: string;
    }
  | Refusal;

/** What a reader of one kind gives: alerts without the raw event, which its caller keeps. */
export type Reading = { readonly ok: true; readonly alerts: readonly ReceivedAlert[] } | Refusal;

export type JsonObject = { readonly [key: string]: Json };

/** An EventBridge envelope, as far as readers need it. */
export interface Envelope {
  readonly detailType: string;
  readonly detail: JsonObject;
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** ISO 8601 as it came. */
  readonly time: string | undefined;
  readonly resources: readonly string[];
}

export function malformed(reason: string): Refusal {
  return { ok: false, status: 'malformed', reason };
}
export function ignored(reason: string): Refusal {
  return { ok: false, status: 'ignored', reason };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An Alert whose common fields may be left out; `key` is what stays the same over its updates. */
export type Draft = Pick<Alert, 'source' | 'findingId' | 'type' | 'title'> &
  Partial<Omit<Alert, 'source' | 'findingId' | 'type' | 'title' | 'dedupeKey' | 'updatedAt'>> & {
    readonly key: readonly string[];
    readonly updatedAt?: string | undefined;
  };

/** The Alert of a draft, with what is missing filled in and what is odd noted; `content` tells deliveries apart. */
export function received(draft: Draft, content: Json): ReceivedAlert {
  const { key, updatedAt, ...said } = draft;
  const notes = [...(said.notes ?? [])];
  const accountId = said.accountId ?? '';
  const region = said.region ?? '';
  if (accountId !== '' && !/^\d{12}$/.test(accountId)) notes.push('the account id does not have 12 digits');
  if (updatedAt === undefined) notes.push('it does not say when it happened');
  const dedupeKey = sha256(JSON.stringify([draft.source, ...key]));
  const alert: Alert = {
    count: 1,
    severity: noSeverity,
    description: '',
    partition: partitionOfRegion(region),
    resource: { type: '' },
    resourceIds: [],
    actor: {},
    remote: [],
    sample: false,
    archived: false,
    ...said,
    accountId,
    region,
    dedupeKey,
    updatedAt: updatedAt ?? new Date(0).toISOString(),
    notes,
  };
  return { alert, deliveryKey: `${draft.source}-${sha256(JSON.stringify([dedupeKey, content]))}` };
}

/** The entries of an object that are there: for optional fields under `exactOptionalPropertyTypes`. */
export function given<Fields extends Readonly<Record<string, unknown>>>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>;
  };
}

/** Facts whose value is there and not empty. */
export function factsOf(facts: Readonly<Record<string, string | number | undefined>>): NonNullable<Alert['facts']> {
  return Object.entries(facts).flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [{ label, value: String(value) }],
  );
}
