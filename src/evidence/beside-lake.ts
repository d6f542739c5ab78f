/**
 * What the lake holds of a time that it does not vouch for, beside the source that is asked for it: records that are at hand are never
 * left out, least of all those that the other source never has (data events).
 */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Coverage, CoverageSource, Evidence } from '../contracts/evidence.ts';
import { compareRecords } from '../domain/record.ts';
import { searchIn } from '../domain/text-search.ts';
import { lakeName } from './lake/pages.ts';

/** Both together. The same event from both comes once, as the lake has it, however the two sources write it. */
export function besideLake(outside: Evidence, lake: Evidence): Evidence {
  const answers = new Map<string, readonly CloudTrailRecord[]>();
  const both = async (ask: (source: Evidence) => Promise<readonly CloudTrailRecord[] | undefined>) => {
    const [held = [], asked = []] = await Promise.all([ask(lake), ask(outside)]);
    const keys = new Set(held.map(eventKey));
    return [...held, ...asked.filter((record) => !keys.has(eventKey(record)))].sort(compareRecords);
  };
  const { all, matching } = { all: outside.all?.bind(outside), matching: outside.matching?.bind(outside) };
  return {
    async recordsOf(artifact: Artifact) {
      const records = await both((source) => source.recordsOf(artifact));
      // The same objects at every call, as long as there are no more of them.
      const key = JSON.stringify([artifact.kind, artifact.id]);
      const before = answers.get(key);
      if (before?.length === records.length) return before;
      answers.set(key, records);
      return records;
    },
    ...(all ? { all: (narrowing) => oncePerEvent(all(narrowing), () => lake.all?.(narrowing)) } : {}),
    ...(matching
      ? {
          matching: (wanted, told) => oncePerEvent(matching(wanted, told), () => lake.all?.(wanted.narrowing)),
          rulesAsked: () => outside.rulesAsked?.(),
        }
      : {}),
    holding: (text) => both((source) => searchIn(source, text)),
    progress() {
      const asked = outside.progress();
      return { ...asked, eventsRead: asked.eventsRead + lake.progress().eventsRead };
    },
    coverage() {
      const [held, asked] = [lake.coverage(), outside.coverage()];
      const mine = held.sources.filter(({ events, failed, truncated }) => events > 0 || failed || truncated);
      return {
        ...asked,
        complete: asked.complete && !mine.some(({ failed, truncated }) => failed || truncated),
        accounts: [...new Set([...held.accounts, ...asked.accounts])].sort(),
        regions: [...new Set([...held.regions, ...asked.regions])].sort(),
        sources: [...mine, ...asked.sources],
      };
    },
  };
}

/** The lake may be large, what is asked for beside it is not: that is held until the lake has told what of it is known. */
async function* oncePerEvent(
  asked: AsyncIterable<CloudTrailRecord>,
  held: () => AsyncIterable<CloudTrailRecord> | undefined,
): AsyncGenerator<CloudTrailRecord> {
  const waiting = new Map<string, CloudTrailRecord[]>();
  for await (const record of asked) {
    const key = eventKey(record);
    const same = waiting.get(key);
    if (same) same.push(record);
    else waiting.set(key, [record]);
  }
  for await (const record of held() ?? []) {
    waiting.delete(eventKey(record));
    yield record;
  }
  for (const records of waiting.values()) yield* records;
}

function eventKey({
  eventID,
  eventTime,
  eventName,
  eventSource,
  awsRegion,
  recipientAccountId,
}: CloudTrailRecord): string {
  return [eventID, eventTime, eventName, eventSource, awsRegion, recipientAccountId ?? ''].join('\n');
}

/** One line for the lake, where it answered for several stretches of time. */
export function oneLakeLine(sources: readonly CoverageSource[]): readonly CoverageSource[] {
  const mine = sources.filter(({ name }) => name === lakeName);
  const [first] = mine;
  if (first === undefined || mine.length === 1) return sources;
  const reason = mine.find((source) => source.reason !== undefined)?.reason;
  const line: CoverageSource = {
    name: lakeName,
    events: mine.reduce((sum, { events }) => sum + events, 0),
    pages: Math.max(...mine.map(({ pages }) => pages)),
    truncated: mine.some(({ truncated }) => truncated),
    failed: mine.some(({ failed }) => failed),
    ...(reason === undefined ? {} : { reason }),
  };
  return [line, ...sources.filter(({ name }) => name !== lakeName)];
}

/** Stands for a source that cannot be asked at all. Throws the error on where it is none of a source. */
export function unreachable(error: unknown, window: { readonly from: string; readonly to: string }): Evidence {
  if (!(error instanceof UserError || error instanceof UpstreamError)) throw asError(error);
  const name = 'CloudTrail LookupEvents';
  const coverage: Coverage = {
    ...{ complete: false, accounts: [], regions: [], ...window, badFiles: [] },
    sources: [{ name, events: 0, pages: 0, truncated: false, failed: true, reason: error.message }],
    notLookedAt: [`${window.from} to ${window.to} outside the lake: ${error.message}`],
  };
  return {
    recordsOf: async () => [],
    async *all() {},
    coverage: () => coverage,
    progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
  };
}
