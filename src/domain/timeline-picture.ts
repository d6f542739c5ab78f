/** The picture of a timeline: a lane per caller, the telling events before the rest where not all fit. */
import type { TimelinePicture } from '../contracts/investigation.ts';
import { count } from './phrases.ts';
import { labelOf } from './pivot-actors.ts';
import type { TimelineEntry } from './timeline.ts';

const maxEvents = 400;
const leastMarginMs = 10 * 60_000;

/** Undefined where there is nothing to draw. */
export function timelinePicture(entries: readonly TimelineEntry[]): TimelinePicture | undefined {
  if (entries.length === 0) return undefined;
  const drawn = new Set(entries.toSorted((a, b) => b.weight - a.weight).slice(0, maxEvents));
  const kept = entries.filter((entry) => drawn.has(entry));
  const times = kept.map(({ event }) => Date.parse(event.eventTime));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const margin = Math.max(leastMarginMs, (last - first) / 10);
  const lanes = [...new Set(kept.map(({ event }) => event.principal))];
  const left = entries.length - kept.length;
  return {
    lanes: lanes.map((id) => ({ id, label: id === '' ? 'an unnamed caller' : labelOf(id) })),
    events: kept.map(({ event, tactic }) => ({
      at: event.eventTime,
      lane: event.principal,
      label: event.eventName,
      ...(tactic[0] === undefined ? {} : { tactic: tactic[0] }),
      failed: event.outcome !== 'success',
    })),
    from: new Date(first - margin).toISOString(),
    to: new Date(last + margin).toISOString(),
    footnote: left === 0 ? 'All events.' : `${count(left, 'less telling event')} are not drawn.`,
  };
}
