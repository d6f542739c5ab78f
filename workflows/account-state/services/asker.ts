/** What one read of one service is: how it is asked, with which rights. One file per service. */
import type { AwsReader } from '#src/contracts/aws.ts';
import { inert } from '#src/domain/inert.ts';
import type { FoundThings, ServiceRead } from '#src/domain/services-now.ts';

/** Where a read looks, and what it is told. */
export interface Where {
  readonly reader: AwsReader;
  readonly region: string;
  /** What counts as made lately, ISO 8601 UTC. */
  readonly since: string;
  /** Domains of the mail addresses that the config has for the account, lower case. */
  readonly domains: readonly string[];
  /** Options of one call: it ends with the run, or when it takes too long. */
  soon(): { readonly abortSignal: AbortSignal };
  /** What AWS refuses of a part, in words; the rest of the read goes on. Throws what is a fault of ours. */
  part<T>(ask: () => Promise<T>): Promise<{ readonly ok: true; readonly value: T } | { ok: false; reason: string }>;
}

export interface Asker {
  readonly read: ServiceRead;
  /** IAM actions. */
  readonly permissions: readonly string[];
  /** Throws the SDK's errors. */
  ask(where: Where): Promise<FoundThings>;
}

/** Text from outside, short enough for a line. */
export function short(text: string | undefined, max = 80): string {
  return inert(text ?? '', max);
}

/** ISO 8601 UTC; "" where AWS told none that can be read. */
export function isoOf(at: Date | string | undefined): string {
  if (at === undefined) return '';
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

/** The last part of an ARN or path: what people call it. */
export function nameOf(arn: string | undefined): string {
  return arn?.split('/').at(-1) ?? '';
}

export function latest(times: readonly string[]): string {
  return times.toSorted().at(-1) ?? '';
}

/** Lists of at most `size`. */
export function batches<T>(items: readonly T[], size: number): readonly T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/** How many ids of a group are kept. */
export const idsKept = 50;
