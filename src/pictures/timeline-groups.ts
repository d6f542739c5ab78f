/** Events of a timeline as marks: read, put into lanes, and gathered where they are too many to show one by one. */
import type { TimelinePicture } from '../contracts/investigation.ts';
import { type Tactic, tacticOf } from './tactics.ts';
import { counted } from './text.ts';

interface TimedEvent {
  readonly time: number;
  readonly lane: string;
  readonly label: string;
  readonly tactic: Tactic;
  readonly failed: boolean;
}

export interface Lane {
  readonly label: string;
  /** In order of time. */
  readonly events: readonly TimedEvent[];
}

/** One mark: an event, or a burst of events of one tactic. */
export interface Group {
  readonly first: number;
  readonly last: number;
  readonly tactic: Tactic;
  readonly failed: boolean;
  readonly count: number;
  /** The most frequent call, and how many other calls are in it. */
  readonly label: string;
  readonly otherLabels: number;
}

const maxLanes = 14;

/** JavaScript's Date can write no instant outside these (ms). */
const latest = 8.64e15;

export interface LanesOfTimeline {
  readonly lanes: readonly Lane[];
  /** How many have events, shared lanes counted apart. */
  readonly identities: number;
  /** What is not on the picture, in sentences. */
  readonly notes: readonly string[];
}

/** Lanes in the order given; events without a known lane get one of their own, beyond 14 lanes the smallest share one. */
export function lanesOf(timeline: TimelinePicture): LanesOfTimeline {
  const events = new Map<string, TimedEvent[]>(timeline.lanes.map((lane) => [lane.id, []]));
  const labels = new Map(timeline.lanes.map((lane) => [lane.id, lane.label]));
  let unread = 0;
  for (const { at, lane, label, tactic, failed } of timeline.events) {
    const time = Date.parse(at);
    if (!(Math.abs(time) < latest / 2)) {
      unread += 1;
      continue;
    }
    const ofLane = events.get(lane) ?? [];
    ofLane.push({ time, lane, label, tactic: tacticOf(tactic), failed });
    events.set(lane, ofLane);
  }
  const all = [...events].map(([id, ofLane]) => ({
    label: labels.get(id) ?? id,
    events: ofLane.toSorted((a, b) => a.time - b.time),
  }));
  const notes = unread > 0 ? [`${counted(unread, 'event')} without a readable time not drawn.`] : [];
  const empty = all.filter((lane) => lane.events.length === 0).length;
  const filled = all.filter((lane) => lane.events.length > 0);
  if (empty > 0 && filled.length > 0)
    notes.push(`${counted(empty, 'identity', 'identities')} without events not drawn.`);
  return { lanes: shareLanes(filled), identities: filled.length, notes };
}

function shareLanes(lanes: readonly Lane[]): readonly Lane[] {
  if (lanes.length <= maxLanes) return lanes;
  const bySize = lanes.toSorted((a, b) => b.events.length - a.events.length);
  const own = new Set(bySize.slice(0, maxLanes - 1));
  const shared = lanes.filter((lane) => !own.has(lane));
  const events = shared.flatMap((lane) => lane.events).toSorted((a, b) => a.time - b.time);
  return [...lanes.filter((lane) => own.has(lane)), { label: `${shared.length} other identities`, events }];
}

/** Gathers events of the same tactic and outcome (and call, when `byLabel`) that start within `slot` px of each other. */
export function groupsOf(
  lane: Lane,
  x: (time: number) => number,
  options: { slot: number; byLabel: boolean },
): readonly Group[] {
  const open = new Map<string, TimedEvent[]>();
  const bursts: TimedEvent[][] = [];
  for (const event of lane.events) {
    const key = JSON.stringify([event.tactic.key, event.failed, options.byLabel ? event.label : '']);
    const burst = open.get(key);
    if (burst?.[0] !== undefined && x(event.time) - x(burst[0].time) <= options.slot) {
      burst.push(event);
    } else {
      const fresh = [event];
      open.set(key, fresh);
      bursts.push(fresh);
    }
  }
  return bursts.flatMap(groupOf);
}

function groupOf(burst: readonly TimedEvent[]): readonly Group[] {
  const [first] = burst;
  if (first === undefined) return [];
  const counts = new Map<string, number>();
  for (const { label } of burst) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [most = ['', 0]] = [...counts].toSorted((a, b) => b[1] - a[1]);
  return [
    {
      first: first.time,
      last: burst.at(-1)?.time ?? first.time,
      tactic: first.tactic,
      failed: first.failed,
      count: burst.length,
      label: most[0],
      otherLabels: counts.size - 1,
    },
  ];
}
