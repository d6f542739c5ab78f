/** A UTC time axis: where an instant lies in px, which ticks to write, and which empty stretches to leave out. */

export interface TimeAxis {
  /** Milliseconds since 1970 to px from the left end. */
  x(time: number): number;
  readonly ticks: readonly { readonly x: number; readonly label: string; readonly date?: string }[];
  /** Stretches without events that are left out: their middle, and how long they are in words. */
  readonly breaks: readonly { readonly x: number; readonly label: string }[];
}

interface Segment {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}
interface PlacedSegment extends Segment {
  readonly left: number;
  readonly width: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  ...[1, 5, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 90, 365, 3650, 36_500, 365_000, 3_650_000, 36_500_000].map((n) => n * day),
];
const breakWidth = 110;
const tickRoom = 150;
const maxBreaks = 3;

/** `times` in ms, in order; `width` in px. Events that crowd into small parts of a long window get room of their own. */
export function timeAxis(times: readonly number[], width: number): TimeAxis {
  const segments = placed(segmentsOf(times), width);
  return {
    x(time) {
      const segment = segments.find(({ to }) => time <= to) ?? segments.at(-1);
      if (segment === undefined) return 0;
      const share = (time - segment.from) / (segment.to - segment.from);
      return segment.left + Math.min(1, Math.max(0, share)) * segment.width;
    },
    ticks: withDates(segments.flatMap(ticksOf)),
    breaks: segments.slice(1).map((segment, index) => {
      const before = segments[index] ?? segment;
      return { x: segment.left - breakWidth / 2, label: lasting(segment.from - before.to) };
    }),
  };
}

function segmentsOf(times: readonly number[]): readonly Segment[] {
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? first;
  const gaps = times
    .slice(1)
    .map((time, index) => ({ index: index + 1, length: time - (times[index] ?? time) }))
    .filter(({ length }) => length > (last - first) * 0.25 && length > 30 * minute)
    .toSorted((a, b) => b.length - a.length || a.index - b.index)
    .slice(0, maxBreaks);
  const cuts = [0, ...gaps.map(({ index }) => index).toSorted((a, b) => a - b), times.length];
  const parts = cuts.slice(1).map((end, index) => times.slice(cuts[index], end));
  const crowded = parts.some((part) => part.length >= 4 && (part.at(-1) ?? 0) - (part[0] ?? 0) < (last - first) * 0.25);
  return (crowded ? parts : [times]).map((part) => padded(part[0] ?? first, part.at(-1) ?? last, part.length));
}

function padded(from: number, to: number, count: number): Segment {
  const pad = to === from ? 2 * minute : Math.max(second, (to - from) * 0.03);
  return { from: from - pad, to: to + pad, count };
}

function placed(segments: readonly Segment[], width: number): readonly PlacedSegment[] {
  const room = width - breakWidth * (segments.length - 1);
  // At least a tick's room each, the rest by how much there is to show.
  const spare = room - tickRoom * segments.length;
  const weight = segments.reduce((sum, { count }) => sum + Math.sqrt(count), 0) || 1;
  let left = 0;
  return segments.map((segment) => {
    const own = tickRoom + (spare * Math.sqrt(segment.count)) / weight;
    const at = { ...segment, left, width: segments.length === 1 ? width : own };
    left += at.width + breakWidth;
    return at;
  });
}

function ticksOf(segment: PlacedSegment): readonly { x: number; time: number; step: number }[] {
  const perPx = (segment.to - segment.from) / segment.width;
  const step = steps.find((each) => each / perPx >= tickRoom) ?? 36_500_000 * day;
  const x = (time: number): number => segment.left + (time - segment.from) / perPx;
  const ticks: { x: number; time: number; step: number }[] = [];
  for (let time = Math.ceil(segment.from / step) * step; time <= segment.to; time += step) {
    if (x(time) > segment.left + 30 && x(time) < segment.left + segment.width - 30)
      ticks.push({ x: x(time), time, step });
  }
  if (ticks.length > 0) return ticks;
  const middle = (segment.from + segment.to) / 2;
  return [{ x: x(middle), time: middle, step: minute }];
}

function withDates(ticks: readonly { x: number; time: number; step: number }[]): TimeAxis['ticks'] {
  let previous = '';
  return ticks.map(({ x, time, step }) => {
    const date = utcDate(time);
    if (step >= day) return { x, label: date };
    const label = new Date(time).toISOString().slice(11, step < minute ? 19 : 16);
    if (date === previous) return { x, label };
    previous = date;
    return { x, label, date };
  });
}

/** `2026-11-20`. */
function utcDate(time: number): string {
  return new Date(time).toISOString().split('T')[0] ?? '';
}

/** `2026-11-20 14:05`. */
export function utcMinute(time: number): string {
  return `${utcDate(time)} ${new Date(time).toISOString().split('T')[1]?.slice(0, 5) ?? ''}`;
}

/** "3 d 4 h", "5 h 20 min", "45 min". */
export function lasting(ms: number): string {
  const [days, hours, minutes] = [
    Math.floor(ms / day),
    Math.floor((ms % day) / hour),
    Math.round((ms % hour) / minute),
  ];
  if (days > 0) return hours > 0 && days < 10 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${minutes} min`;
}
