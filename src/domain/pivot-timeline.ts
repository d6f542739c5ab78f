/** The timeline of a pivot: the actors' own time in full, the neighbours only as far as they fall into it. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { TimelinePicture } from '../contracts/investigation.ts';
import { count } from './phrases.ts';
import { actorFinder } from './pivot-actors.ts';
import type { Story } from './pivot-story.ts';
import { principalOf } from './principal.ts';
import { outcomeOf } from './sightings.ts';

const maxEvents = 400;
/** Shown before the actors' first and after their last call: a tenth of their time, and at least this. */
const leastMarginMs = 10 * 60_000;

type TimelineEvent = TimelinePicture['events'][number];

/** Undefined where there is nothing to draw. */
export function timelineOf(story: Story): TimelinePicture | undefined {
  const { graph, actors } = story;
  const laneOf = actorFinder(actors);
  const core: TimelineEvent[] = [];
  const tacticOf = new Map(story.sightings.map(({ sighting }) => [markKey(sighting), sighting.tactic[0]]));
  for (const record of graph.records) {
    const actor = laneOf(principalOf(record)?.id ?? '', record.eventTime);
    if (actor?.isCore === true) core.push(eventOf(record, actor.id, tacticOf));
  }
  const known = story.sightings
    .filter(
      ({ weight, sighting }) =>
        weight > 1 && sighting.principal !== '' && laneOf(sighting.principal, sighting.eventTime)?.isCore !== true,
    )
    .map(({ sighting }) => ({
      at: sighting.eventTime,
      lane: laneOf(sighting.principal, sighting.eventTime)?.id ?? sighting.principal,
      label: sighting.eventName,
      ...(sighting.tactic[0] === undefined ? {} : { tactic: sighting.tactic[0] }),
      failed: sighting.outcome !== 'success',
    }));
  const span = spanOf(core.length > 0 ? core : known);
  if (span === undefined) return undefined;
  const near = core.length > 0 ? known.filter(({ at }) => span.from <= at && at <= span.to) : known;
  const events = [...core.slice(0, maxEvents), ...near.slice(0, Math.max(0, maxEvents - core.length))].sort(byTime);
  const lanes = actors.filter((actor) => events.some((event) => event.lane === actor.id));
  const left = core.length + known.length - events.length;
  return {
    lanes: lanes.map((actor) => ({ id: actor.id, label: `${actor.label}${actor.aside}` })),
    events,
    from: span.from,
    to: span.to,
    footnote:
      left === 0 ? 'All known calls.' : `${count(left, 'known call')} of others or outside this time are not drawn.`,
  };
}

function eventOf(
  record: CloudTrailRecord,
  lane: string,
  tacticOf: ReadonlyMap<string, string | undefined>,
): TimelineEvent {
  const tactic = tacticOf.get(
    markKey({ eventId: record.eventID, eventName: record.eventName, eventTime: record.eventTime }),
  );
  return {
    at: record.eventTime,
    lane,
    label: record.eventName,
    ...(tactic === undefined ? {} : { tactic }),
    failed: outcomeOf(record) !== 'success',
  };
}

/** An event id may stand for several events, so it is no key on its own. */
function markKey(of: { readonly eventId: string; readonly eventName: string; readonly eventTime: string }): string {
  return `${of.eventId}\n${of.eventName}\n${of.eventTime}`;
}

function spanOf(events: readonly TimelineEvent[]): { from: string; to: string } | undefined {
  const times = events.map(({ at }) => Date.parse(at)).filter((time) => !Number.isNaN(time));
  if (times.length === 0) return undefined;
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const margin = Math.max(leastMarginMs, (last - first) / 10);
  return { from: new Date(first - margin).toISOString(), to: new Date(last + margin).toISOString() };
}

function byTime(a: TimelineEvent, b: TimelineEvent): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}
