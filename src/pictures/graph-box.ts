/** One box of the graph: icon, kind in words, name, detail, marks. Several alike share a box as rows. */
import type { Block } from './graph-fold.ts';
import type { Size } from './graph-layout.ts';
import { icon, type Look, lookOf } from './kinds.ts';
import { type Item, ink } from './scene.ts';
import { drawable, type Face, fitted, widthOf, wrapped } from './text.ts';
import type { Typeface } from './typeface.ts';

export interface Box extends Size {
  /** Relative to the upper left corner of the box. */
  readonly items: readonly Item[];
}

const padding = 18;
const iconSize = 46;
const maxText = 412;
const maxCharacters = 300;

/** A list longer than `maxRows` ends with how many more there are, and how many of those are alive. */
export function drawBox(block: Block, maxRows: number, typeface: Typeface): Box {
  return block.nodes.length === 1 ? singleBox(block, typeface) : listBox(block, maxRows, typeface);
}

function singleBox(block: Block, typeface: Typeface): Box {
  const node = block.nodes[0];
  const look = lookOf(node?.kind ?? '', node?.id ?? '');
  const captionFace: Face = { typeface, size: 24, weight: 600 };
  const labelFace: Face = { typeface, size: 30, weight: 700 };
  const detailFace: Face = { typeface, size: 23, weight: 400 };
  const label = wrapped(drawable(node?.label ?? '', maxCharacters, typeface), maxText, 3, labelFace);
  const detail = wrapped(drawable(node?.detail ?? '', maxCharacters, typeface), maxText, 3, detailFace);
  const texts = [
    ...label.map((text) => ({ text, face: labelFace, fill: ink.text, height: 38 })),
    ...detail.map((text) => ({ text, face: detailFace, fill: ink.quiet, height: 30 })),
  ];
  const marks = marksOf(node?.mark);
  const textWidth = Math.max(
    iconSize + 14 + widthOf(look.name, captionFace),
    marksWidth(marks, typeface),
    ...texts.map(({ text, face }) => widthOf(text, face)),
  );
  const width = Math.ceil(textWidth + 2 * padding);
  const items: Item[] = [
    ...icon(look, padding, padding, iconSize),
    textItem(look.name, padding + iconSize + 14, padding + iconSize / 2 + 9, captionFace, look.colour),
  ];
  let y = padding + iconSize + 6;
  for (const { text, face, fill, height } of texts) {
    items.push(textItem(text, padding, y + height * 0.76, face, fill));
    y += height;
  }
  const height = Math.ceil(y + padding - 4);
  let right = width - 14;
  for (const mark of marks) {
    const pill = drawPill(mark, typeface, right, -pillHeight / 2);
    items.push(...pill.items);
    right -= pill.width + 8;
  }
  return { width, height, items: [frame({ width, height }, look, node?.mark), ...items] };
}

function listBox(block: Block, maxRows: number, typeface: Typeface): Box {
  const [first] = block.nodes;
  const look = lookOf(first?.kind ?? '', first?.id ?? '');
  const headFace: Face = { typeface, size: 28, weight: 700 };
  const rowFace: Face = { typeface, size: 26, weight: 600 };
  const detailFace: Face = { typeface, size: 23, weight: 400 };
  const head = `${block.nodes.length.toLocaleString('en-US')} ${look.many}`;
  const shown = block.nodes.length <= maxRows ? block.nodes : block.nodes.slice(0, maxRows - 1);
  const more = moreOf(block.nodes.slice(shown.length));
  const rows = shown.map((node) => {
    const label = fitted(drawable(node.label, maxCharacters, typeface), maxText, rowFace);
    const labelWidth = widthOf(label, rowFace);
    const room = maxText + 40 - labelWidth;
    const detail = drawable(node.detail ?? '', maxCharacters, typeface);
    return { label, labelWidth, detail: detail === '' || room < 90 ? '' : fitted(detail, room, detailFace), node };
  });
  const textWidth = Math.max(
    iconSize + 14 + widthOf(head, headFace),
    widthOf(more, detailFace),
    ...rows.map(
      ({ labelWidth, detail, node }) =>
        labelWidth +
        (detail === '' ? 0 : 14 + widthOf(detail, detailFace)) +
        (node.mark === 'alive' ? 14 + pillWidth('ALIVE', typeface) : 0),
    ),
  );
  const width = Math.ceil(textWidth + 2 * padding);
  const headHeight = padding + iconSize + 10;
  const height = headHeight + (rows.length + (more === '' ? 0 : 1)) * 40 + padding - 6;
  const items: Item[] = [
    frame({ width, height }, look, first?.mark === 'not-followed' ? 'not-followed' : undefined),
    ...icon(look, padding, padding, iconSize),
    textItem(head, padding + iconSize + 14, padding + iconSize / 2 + 10, headFace, look.colour),
  ];
  if (first?.mark === 'not-followed')
    items.push(...drawPill('not followed', typeface, width - 14, -pillHeight / 2).items);
  rows.forEach(({ label, labelWidth, detail, node }, index) => {
    const y = headHeight + index * 40;
    if (index > 0) items.push({ kind: 'path', d: `M${padding} ${y - 1}H${width - padding}`, stroke: ink.hair });
    items.push(textItem(label, padding, y + 28, rowFace, ink.text));
    if (detail !== '') items.push(textItem(detail, padding + labelWidth + 14, y + 28, detailFace, ink.quiet));
    if (node.mark === 'alive') items.push(...drawPill('ALIVE', typeface, width - padding, y + 2).items);
  });
  if (more !== '') items.push(textItem(more, padding, headHeight + rows.length * 40 + 27, detailFace, ink.quiet));
  return { width, height, items };
}

function moreOf(left: Block['nodes']): string {
  if (left.length === 0) return '';
  const alive = left.filter((node) => node.mark === 'alive').length;
  const living = alive === 0 ? '' : `, ${alive.toLocaleString('en-US')} of them alive`;
  return `and ${left.length.toLocaleString('en-US')} more${living}`;
}

export type Mark = 'seed' | 'ALIVE' | 'not followed';
const pillHeight = 33;

function marksOf(mark: Block['nodes'][number]['mark']): readonly Mark[] {
  if (mark === undefined) return [];
  return [({ seed: 'seed', alive: 'ALIVE', 'not-followed': 'not followed' } as const)[mark]];
}

function frame(size: Size, look: Look, mark: Block['nodes'][number]['mark']): Item {
  const seed = mark === 'seed';
  return {
    kind: 'rect',
    x: 0,
    y: 0,
    ...size,
    radius: 14,
    fill: seed ? '#fffbeb' : ink.paper,
    stroke: seed ? ink.text : look.colour,
    strokeWidth: seed ? 7 : 3,
    ...(mark === 'not-followed' ? { dashed: true } : {}),
  };
}

function marksWidth(marks: readonly Mark[], typeface: Typeface): number {
  return marks.reduce((sum, mark) => sum + pillWidth(mark, typeface) + 8, 0);
}

function pillWidth(mark: Mark, typeface: Typeface): number {
  return Math.ceil(widthOf(mark, { typeface, size: 22, weight: 700 }) + 26);
}

/** A mark whose upper right corner is at (right, top). */
export function drawPill(
  mark: Mark,
  typeface: Typeface,
  right: number,
  top: number,
): { width: number; items: readonly Item[] } {
  const width = pillWidth(mark, typeface);
  const fill = { seed: ink.text, ALIVE: ink.alarm, 'not followed': ink.paper }[mark];
  const outlined = mark === 'not followed';
  const face: Face = { typeface, size: 22, weight: 700 };
  return {
    width,
    items: [
      {
        kind: 'rect',
        x: right - width,
        y: top,
        width,
        height: pillHeight,
        radius: pillHeight / 2,
        fill,
        ...(outlined ? { stroke: ink.quiet, strokeWidth: 2 } : {}),
      },
      textItem(mark, right - width + 13, top + 24.5, face, outlined ? ink.quiet : ink.paper),
    ],
  };
}

function textItem(text: string, x: number, y: number, face: Face, fill: string): Item {
  return { kind: 'text', x, y, text, size: face.size, weight: face.weight, fill };
}
