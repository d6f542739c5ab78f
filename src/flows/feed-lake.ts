/** Keeps the lake filled: imports what a queue tells of, and lists the place now and then for what nobody told. */
import type { Clock } from '../contracts/clock.ts';
import { asError, BusyError } from '../contracts/errors.ts';
import type { MessageQueue, QueueMessage } from '../contracts/intake.ts';
import type { Log } from '../contracts/log.ts';
import { type AnnouncedObject, announcedIn, type ImportEntry } from '../domain/imports.ts';

export interface FedImport {
  readonly records: number;
  readonly imported: number;
  /** Objects that could not be read; the messages that tell of them stay. */
  readonly unreadable: readonly string[];
}

export interface LakeFeed {
  readonly entry: ImportEntry;
  /** Absent where the place is only listed. */
  readonly queue: MessageQueue | undefined;
  /** Everything in the place. Rejects with BusyError where another import runs. */
  importAll(signal: AbortSignal): Promise<FedImport>;
  /** These objects, known ones passed over. */
  importThese(objects: readonly AnnouncedObject[], signal: AbortSignal): Promise<FedImport>;
  readonly clock: Clock;
  readonly log: Log;
}

const pauseAfterFailureMs = 30_000;
const listAgainMs = 60_000;
const firstWaitSeconds = 20;
const mostMessages = 1000;
/** The most that SQS deletes at once. */
const perCall = 10;

/** Runs until aborted; whatever fails is logged and tried again. */
export async function keepFed(lake: LakeFeed, signal: AbortSignal): Promise<void> {
  const { entry, clock, log } = lake;
  let listAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      const now = clock.now().getTime();
      const dueInMs = listAt - now;
      if (dueInMs <= 0) {
        // Where the place cannot be listed, what the queue tells of is imported all the same until the next try.
        listAt = now + listAgainMs;
        tell(log, entry, await lake.importAll(signal), 'a place was listed and imported');
        listAt = now + entry.everyMinutes * 60_000;
      } else if (lake.queue) await drainOnce(lake, lake.queue, signal);
      else await clock.sleep(dueInMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      // Another process of the same role may be at it: it does the same work.
      if (error instanceof BusyError) log.info({ place: entry.place, reason: error.message }, 'an import has to wait');
      else log.warn({ place: entry.place, error: asError(error) }, 'an import failed, it is tried again');
      await clock.sleep(pauseAfterFailureMs, signal).catch(() => undefined);
    }
  }
}

/** Imports what the queue tells of now. Messages are taken off only after their records lie safe on the disk. */
export async function drainOnce(lake: LakeFeed, queue: MessageQueue, signal: AbortSignal): Promise<void> {
  const { entry, log } = lake;
  const messages = (await receiveAll(queue, signal)).map((message) => ({
    message,
    objects: announcedIn(message.body),
  }));
  const unknown = messages.filter(({ objects }) => objects === undefined).length;
  if (unknown > 0) log.warn({ place: entry.place, unknown }, 'messages that tell of no object are left on the queue');
  const known = messages.flatMap(({ message, objects }) => (objects ? [{ message, objects }] : []));
  const here = new Map(
    known.flatMap(({ objects }) => objects.filter((one) => isIn(entry, one)).map((one) => [one.key, one] as const)),
  );
  // What it tells of deletions and tests names no object.
  const elsewhere = known.filter(({ objects }) => objects.some((one) => !isIn(entry, one))).length;
  if (elsewhere > 0) log.warn({ place: entry.place, elsewhere }, 'messages tell of objects that are not in the place');
  const done = here.size === 0 ? undefined : await lake.importThese([...here.values()], signal);
  if (done) tell(log, entry, done, 'announced objects were imported');
  const missed = new Set(done?.unreadable ?? []);
  const finished = known.filter(({ objects }) => !objects.some(({ key }) => here.has(key) && missed.has(key)));
  for (let at = 0; at < finished.length; at += perCall) {
    const left = await queue.remove(finished.slice(at, at + perCall).map(({ message }) => message));
    if (left.length > 0) log.warn({ place: entry.place, left: left.length }, 'messages come again');
  }
}

/** One import of many objects costs far less than many of one: what lies there is taken at once. */
async function receiveAll(queue: MessageQueue, signal: AbortSignal): Promise<readonly QueueMessage[]> {
  const all: QueueMessage[] = [];
  for (let wait = firstWaitSeconds; all.length < mostMessages; wait = 1) {
    const some = await queue.receive(wait, signal);
    all.push(...some);
    if (some.length === 0) break;
  }
  return all;
}

function isIn({ place }: ImportEntry, { bucket, key }: AnnouncedObject): boolean {
  const [, name, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(place) ?? [];
  return bucket === name && key.startsWith(prefix) && !key.endsWith('/');
}

function tell(log: Log, { place }: ImportEntry, { records, imported, unreadable }: FedImport, text: string): void {
  if (unreadable.length > 0) log.warn({ place, unreadable: unreadable.slice(0, 5) }, 'log files could not be read');
  if (imported > 0) log.info({ place, imported, records }, text);
}
