/** The graph of a pivot as a scene: who used what from where, and what came of it. */
import type { GraphPicture } from '../contracts/investigation.ts';
import { type Box, drawBox, drawPill } from './graph-box.ts';
import { type Block, foldGraph, type Link } from './graph-fold.ts';
import { type Layout, layOut, type Place, type Size } from './graph-layout.ts';
import { icon, lookOf } from './kinds.ts';
import { legendEntry, legendLine, margin, page, pageWidth } from './page.ts';
import { type Item, ink, moved, type Scene } from './scene.ts';
import { counted, drawable, type Face, widthOf, wrapped } from './text.ts';
import type { Typeface } from './typeface.ts';

/** At most 120 boxes; fewer where the picture would be so large that its text is too small to read at any zoom. */
const caps = [120, 70, 40, 20] as const;
const readableArea = 11_000_000;
const readableSide = 6_500;

/** Rows of a list; the short one where long lists would make all of the picture smaller in the thread. */
const longList = 12;
const shortList = 5;

/** Never throws for odd names or shapes; throws Error where Graphviz fails. */
export async function graphScene(title: string, graph: GraphPicture, typeface: Typeface): Promise<Scene> {
  for (const cap of caps) {
    const folded = foldGraph(graph, cap);
    const long = folded.blocks.map((block) => drawBox(block, longList, typeface));
    const isLast = cap === caps.at(-1) || folded.blocks.length <= (caps.at(-1) ?? 0);
    // Boxes cover less than half of any layout: no need to lay out what cannot fit.
    const covered = long.reduce((sum, box) => sum + box.width * box.height, 0);
    if (!isLast && covered * 2 > readableArea) continue;
    const short = folded.blocks.map((block) => drawBox(block, shortList, typeface));
    const labels = folded.links.map((link) => drawLabel(link, typeface));
    const { boxes, layout } = await betterRead([long, short], folded.links, labels);
    const tooLarge =
      layout.width * layout.height > readableArea || Math.max(layout.width, layout.height) > readableSide;
    if (tooLarge && !isLast) continue;
    return page(
      {
        title,
        subtitle: subtitleOf(graph),
        content: { ...layout, items: drawAll(boxes, labels, layout) },
        legend: legendOf(folded.blocks, typeface),
        footnotes: [...folded.notes, graph.footnote],
      },
      typeface,
    );
  }
  throw new Error('The graph has no size that can be drawn.');
}

function subtitleOf(graph: GraphPicture): string {
  if (graph.nodes.length === 0) return 'Nothing to draw: the answer has no nodes.';
  return `${counted(graph.nodes.length, 'node')}, ${counted(graph.edges.length, 'link')}`;
}

interface Label extends Size {
  readonly items: readonly Item[];
}

function drawLabel(link: Link, typeface: Typeface): Label | undefined {
  const face: Face = { typeface, size: 22, weight: 600 };
  const lines = wrapped(drawable(link.labels.join(', '), 600, typeface), 170, 4, face);
  if (lines.length === 0) return undefined;
  const width = Math.ceil(Math.max(...lines.map((line) => widthOf(line, face))) + 16);
  const height = lines.length * 27 + 6;
  return {
    width,
    height,
    items: [
      { kind: 'rect', x: 2, y: 1, width: width - 4, height: height - 2, radius: 6, fill: ink.paper, opacity: 0.85 },
      ...lines.map((text, index): Item => {
        const x = (width - widthOf(text, face)) / 2;
        return { kind: 'text', x, y: 23 + index * 27, text, size: 22, weight: 600, fill: ink.quiet };
      }),
    ],
  };
}

/** The first drawing of the boxes, unless the second is clearly larger in the thread. */
async function betterRead(
  [first, second]: readonly [readonly Box[], readonly Box[]],
  links: readonly Link[],
  labels: readonly (Label | undefined)[],
): Promise<{ readonly boxes: readonly Box[]; readonly layout: Layout }> {
  const layout = await bestLayout(first, links, labels);
  if (first.every((box, index) => box.height === second[index]?.height)) return { boxes: first, layout };
  const other = await bestLayout(second, links, labels);
  return sizeInThread(layout) * 1.15 >= sizeInThread(other)
    ? { boxes: first, layout }
    : { boxes: second, layout: other };
}

/** In the thread, before anybody opens it, Slack shows a picture in a square. */
function sizeInThread(layout: Layout): number {
  return 1 / Math.max(layout.width + 2 * margin, layout.height + 500);
}

/** Left to right tells the story best; top to bottom wins where it is clearly larger on an upright phone. */
async function bestLayout(
  boxes: readonly Box[],
  links: readonly Link[],
  labels: readonly (Label | undefined)[],
): Promise<Layout> {
  const input = { boxes, links: links.map(({ from, to }, index) => ({ from, to, label: labels[index] })) };
  const across = await layOut(input, 'LR');
  const down = await layOut(input, 'TB');
  return sizeOnPhone(across) * 1.15 >= sizeOnPhone(down) ? across : down;
}

/** How large one px of the layout is on an upright phone of 390 by 750. */
function sizeOnPhone(layout: Layout): number {
  return Math.min(390 / Math.max(layout.width + 2 * margin, pageWidth), 750 / (layout.height + 500));
}

function drawAll(boxes: readonly Box[], labels: readonly (Label | undefined)[], layout: Layout): readonly Item[] {
  const lines = layout.links.flatMap(({ curve, tip }) => drawLink(curve, tip));
  const boxItems = boxes.flatMap((box, index) => {
    const at = layout.boxes[index] ?? { x: 0, y: 0 };
    return moved(box.items, at.x - box.width / 2, at.y - box.height / 2);
  });
  const labelItems = labels.flatMap((label, index) => {
    const at = layout.links[index]?.label;
    if (label === undefined || at === undefined) return [];
    return moved(label.items, at.x - label.width / 2, at.y - label.height / 2);
  });
  return [...lines, ...labelItems, ...boxItems];
}

function drawLink(curve: readonly Place[], tip: Place | undefined): readonly Item[] {
  const [start, ...rest] = curve;
  const end = curve.at(-1);
  if (start === undefined || end === undefined) return [];
  const d = `M${xy(start)}C${rest.map(xy).join(' ')}`;
  const line: Item = { kind: 'path', d, stroke: ink.line, strokeWidth: 3.5 };
  if (tip === undefined) return [line];
  const length = Math.hypot(tip.x - end.x, tip.y - end.y) || 1;
  const across = { x: (-(tip.y - end.y) / length) * 9, y: ((tip.x - end.x) / length) * 9 };
  const left = { x: end.x + across.x, y: end.y + across.y };
  const right = { x: end.x - across.x, y: end.y - across.y };
  return [line, { kind: 'path', d: `M${xy(tip)}L${xy(left)} ${xy(right)}Z`, fill: ink.quiet }];
}

function xy({ x, y }: Place): string {
  return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
}

function legendOf(blocks: readonly Block[], typeface: Typeface): readonly { width: number; items: readonly Item[] }[] {
  const nodes = blocks.flatMap((block) => block.nodes);
  const looks = new Map(nodes.map((node) => [lookOf(node.kind, node.id).name, lookOf(node.kind, node.id)]));
  const entries = [...looks.values()].map((look) => legendEntry(icon(look, 0, 0, 42), 42, look.name, typeface));
  const has = (mark: string): boolean => nodes.some((node) => node.mark === mark);
  const top = (legendLine - 44) / 2 - 1;
  if (has('seed')) {
    const pill = drawPill('seed', typeface, 0, top);
    entries.push(legendEntry(moved(pill.items, pill.width, 0), pill.width, 'where the question began', typeface));
  }
  if (has('alive')) {
    const pill = drawPill('ALIVE', typeface, 0, top);
    entries.push(legendEntry(moved(pill.items, pill.width, 0), pill.width, 'still exists or works', typeface));
  }
  if (has('not-followed')) {
    const frame: Item = {
      kind: 'rect',
      x: 1,
      y: 4,
      width: 60,
      height: 34,
      radius: 8,
      stroke: ink.quiet,
      strokeWidth: 3,
      dashed: true,
    };
    entries.push(legendEntry([frame], 62, 'seen, but not followed further', typeface));
  }
  return entries;
}
