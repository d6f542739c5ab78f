/** The timeline of an answer as a scene: a lane per identity, a mark per call or burst, the name of the call beside it. */
import type { TimelinePicture } from '../contracts/investigation.ts';
import { legendEntry, legendLine, margin, page, pageWidth } from './page.ts';
import { type Item, ink, moved, type Scene } from './scene.ts';
import type { Tactic } from './tactics.ts';
import { counted, drawable, type Face, fitted, widthOf } from './text.ts';
import { type TimeAxis, timeAxis, utcMinute } from './time-axis.ts';
import { type Group, groupsOf, type Lane, lanesOf } from './timeline-groups.ts';
import type { Typeface } from './typeface.ts';

const width = pageWidth - 2 * margin;
const rowHeight = 46;
const markWidth = 50;
const markHeight = 36;
const laneHead = 46;
const axisHeight = 74;

/** From every call by itself to one mark per tactic: the first that fits is drawn. */
const densities = [
  { slot: 100, byLabel: true },
  { slot: 200, byLabel: true },
  { slot: 400, byLabel: true },
  { slot: width, byLabel: true },
  { slot: 400, byLabel: false },
  { slot: width, byLabel: false },
] as const;
const comfortableRows = 40;
/** More could not stand in 40 rows: not worth measuring. */
const comfortableMarks = 300;
const maxRows = 60;

/** Never throws for odd names, times or numbers of events. */
export function timelineScene(title: string, timeline: TimelinePicture, typeface: Typeface): Scene {
  const { lanes, identities, notes } = lanesOf(timeline);
  const times = lanes.flatMap((lane) => lane.events.map((event) => event.time)).toSorted((a, b) => a - b);
  const axis = timeAxis(times, width);
  const { rows, hidden } = place(lanes, axis, typeface);
  const content = drawContent(lanes, rows, axis, typeface);
  const late = hidden === 0 ? [] : [`${counted(hidden, 'event')} not drawn for want of room.`];
  return page(
    {
      title,
      subtitle: subtitleOf(times, identities),
      content,
      legend: legendOf(lanes, typeface),
      footnotes: [drawnTime(timeline), ...late, ...notes, timeline.footnote],
    },
    typeface,
  );
}

function subtitleOf(times: readonly number[], identities: number): string {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return 'Nothing to draw: no events.';
  const who = counted(identities, 'identity', 'identities');
  return `${counted(times.length, 'event')} of ${who}, ${utcMinute(first)} to ${utcMinute(last)} UTC`;
}

function drawnTime(timeline: TimelinePicture): string {
  const words = [timeline.from, timeline.to].map((at) => {
    const time = Date.parse(at);
    return Math.abs(time) < 8.64e15 ? utcMinute(time) : at;
  });
  return `Drawn: ${words[0]} to ${words[1]} UTC.`;
}

interface Flag {
  readonly group: Group;
  readonly x: number;
  readonly text: string;
  readonly textX: number;
}
type Row = readonly Flag[];

/** Rows of flags per lane, at the finest density that fits. */
function place(
  lanes: readonly Lane[],
  axis: TimeAxis,
  typeface: Typeface,
): { rows: readonly (readonly Row[])[]; hidden: number } {
  let rows: readonly (readonly Row[])[] = [];
  for (const density of densities) {
    const groups = lanes.map((lane) => groupsOf(lane, axis.x, density));
    if (groups.flat().length > comfortableMarks && density !== densities.at(-1)) continue;
    rows = groups.map((ofLane) => rowsOf(ofLane, axis, typeface));
    if (rows.reduce((sum, ofLane) => sum + ofLane.length, 0) <= comfortableRows) return { rows, hidden: 0 };
  }
  const most = Math.max(3, Math.floor(maxRows / Math.max(1, lanes.length)));
  const kept = rows.map((ofLane) => ofLane.slice(0, most));
  const count = (all: readonly (readonly Row[])[]): number =>
    all.flat(2).reduce((sum, { group }) => sum + group.count, 0);
  return { rows: kept, hidden: count(rows) - count(kept) };
}

function rowsOf(groups: readonly Group[], axis: TimeAxis, typeface: Typeface): readonly Row[] {
  const face: Face = { typeface, size: 24, weight: 600 };
  const rows: { flags: Flag[]; taken: { from: number; to: number }[] }[] = [];
  for (const group of groups) {
    const text = fitted(drawable(flagText(group), 200, typeface), width / 2 - markWidth, face);
    const textWidth = widthOf(text, face);
    const x = Math.min(width - markWidth / 2, Math.max(markWidth / 2, axis.x(group.first)));
    const rightward = x + markWidth / 2 + 8 + textWidth <= width;
    const textX = rightward ? x + markWidth / 2 + 8 : x - markWidth / 2 - 8 - textWidth;
    const from = Math.min(textX, x - markWidth / 2) - 10;
    const to = Math.max(textX + textWidth, x + markWidth / 2, axis.x(group.last)) + 10;
    const free = rows.find(({ taken }) => taken.every((other) => to <= other.from || from >= other.to));
    const row = free ?? { flags: [], taken: [] };
    if (free === undefined) rows.push(row);
    row.flags.push({ group, x, text, textX });
    row.taken.push({ from, to });
  }
  return rows.map(({ flags }) => flags);
}

function flagText({ label, otherLabels, count, failed }: Group): string {
  const name = label.length > 60 ? `${label.slice(0, 59)}…` : label;
  const many = count.toLocaleString('en-US');
  if (otherLabels > 0)
    return `${name} and ${counted(otherLabels, 'other call')}, ${many} ${failed ? 'failed' : 'in all'}`;
  return `${name}${count > 1 ? ` ×${many}` : ''}${failed ? ' failed' : ''}`;
}

function drawContent(
  lanes: readonly Lane[],
  rows: readonly (readonly Row[])[],
  axis: TimeAxis,
  typeface: Typeface,
): { width: number; height: number; items: readonly Item[] } {
  if (lanes.length === 0) return { width, height: 40, items: [] };
  const items: Item[] = [];
  let y = axisHeight;
  lanes.forEach((lane, index) => {
    const ofLane = rows[index] ?? [];
    const height = laneHead + ofLane.length * rowHeight + 14;
    if (index % 2 === 0)
      items.push({ kind: 'rect', x: -margin / 2, y, width: width + margin, height, radius: 10, fill: ink.panel });
    items.push(...moved(laneTitle(lane, typeface), 0, y));
    ofLane.forEach((row, at) => {
      for (const flag of row) items.push(...moved(drawFlag(flag, axis), 0, y + laneHead + at * rowHeight));
    });
    y += height + 10;
  });
  const [background, foreground] = [items.filter(isPanel), items.filter((item) => !isPanel(item))];
  return {
    width,
    height: y + axisHeight - 20,
    items: [...background, ...drawAxis(axis, y, typeface), ...foreground],
  };
}

function isPanel(item: Item): boolean {
  return item.kind === 'rect' && item.fill === ink.panel;
}

function laneTitle(lane: Lane, typeface: Typeface): readonly Item[] {
  const failed = lane.events.filter((event) => event.failed).length;
  const summary = `${counted(lane.events.length, 'event')}${failed > 0 ? `, ${failed.toLocaleString('en-US')} failed` : ''}`;
  const face: Face = { typeface, size: 28, weight: 700 };
  const label = fitted(drawable(lane.label, 300, typeface), width - 290, face);
  const x = widthOf(label, face) + 18;
  return [
    { kind: 'text', x: 0, y: 32, text: label, size: 28, weight: 700, fill: ink.text },
    { kind: 'text', x, y: 32, text: summary, size: 24, weight: 400, fill: ink.quiet },
  ];
}

function drawFlag({ group, x, text, textX }: Flag, axis: TimeAxis): readonly Item[] {
  const end = axis.x(group.last);
  const span: Item[] =
    end - x > markWidth / 2
      ? [{ kind: 'path', d: `M${x} ${markHeight + 4}H${end}`, stroke: group.tactic.colour, strokeWidth: 4 }]
      : [];
  return [
    ...span,
    ...moved(drawMark(group.tactic, group.failed), x - markWidth / 2, 0),
    { kind: 'text', x: textX, y: 27, text, size: 24, weight: 600, fill: group.failed ? ink.quiet : ink.text },
  ];
}

/** The letters are centred by hand: they are ours, and but for the I nearly equal in width. */
function drawMark(tactic: Tactic, failed: boolean): readonly Item[] {
  const { colour, letters } = tactic;
  const size = { width: markWidth - 4, height: markHeight - 4, radius: 8 };
  const fill = failed ? ink.paper : colour;
  const inset = letters.length === 1 ? 18 : letters.includes('I') ? 14 : 10;
  return [
    { kind: 'rect', x: 2, y: 2, ...size, fill, stroke: colour, strokeWidth: 3.5 },
    { kind: 'text', x: inset, y: 26, text: letters, size: 22, weight: 700, fill: failed ? colour : ink.paper },
  ];
}

function drawAxis(axis: TimeAxis, bottom: number, typeface: Typeface): readonly Item[] {
  const face: Face = { typeface, size: 24, weight: 600 };
  const centred = (text: string, x: number, y: number, size = 24): Item => {
    const textWidth = widthOf(text, { ...face, size });
    const left = Math.min(width - textWidth, Math.max(0, x - textWidth / 2));
    return { kind: 'text', x: left, y, text, size, weight: 600, fill: ink.quiet };
  };
  const ticks = axis.ticks.flatMap(({ x, label, date }): readonly Item[] => [
    { kind: 'path', d: `M${x} ${axisHeight - 8}V${bottom}`, stroke: ink.hair, strokeWidth: 2 },
    ...(date === undefined ? [] : [centred(date, x, 24, 22)]),
    centred(label, x, 54),
    // The last stretch belongs to the word UTC.
    ...(x > width - 130 ? [] : [centred(label, x, bottom + 30)]),
  ]);
  const breaks = axis.breaks.flatMap(({ x, label }): readonly Item[] => [
    { kind: 'path', d: `M${x} ${axisHeight - 8}V${bottom}`, stroke: ink.line, strokeWidth: 3, dashed: true },
    centred(label, x, 24, 22),
    centred('left out', x, 54, 22),
  ]);
  return [...ticks, ...breaks, centred('UTC', width, bottom + 30)];
}

function legendOf(
  lanes: readonly Lane[],
  typeface: Typeface,
): readonly { readonly width: number; readonly items: readonly Item[] }[] {
  const events = lanes.flatMap((lane) => lane.events);
  const tactics = [...new Map(events.map(({ tactic }) => [tactic.key, tactic])).values()];
  const top = (legendLine - markHeight) / 2 - 5;
  const entries = tactics
    .toSorted((a, b) => a.order - b.order)
    .map((tactic) => legendEntry(moved(drawMark(tactic, false), 0, top), markWidth, tactic.name, typeface));
  const failed = events.find((event) => event.failed);
  if (failed === undefined) return entries;
  const sign = moved(drawMark(failed.tactic, true), 0, top);
  return [...entries, legendEntry(sign, markWidth, 'hollow: the call failed', typeface)];
}
