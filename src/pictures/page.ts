/** What both pictures share: a title above, a legend and footnotes below, sized so that the title reads on a phone. */
import { type Item, ink, moved, type Scene } from './scene.ts';
import { drawable, type Face, widthOf, wrapped } from './text.ts';
import type { Typeface } from './typeface.ts';

export interface PageInput {
  readonly title: string;
  readonly subtitle: string;
  readonly content: { readonly width: number; readonly height: number; readonly items: readonly Item[] };
  /** Entries of the legend: what is drawn from (0, 0), and how wide it is; each is one line of `legendLine` px. */
  readonly legend: readonly { readonly width: number; readonly items: readonly Item[] }[];
  readonly footnotes: readonly string[];
}

export const pageWidth = 1200;
export const margin = 40;
export const legendLine = 54;

/**
 * Puts a page together. Wide content is shown smaller in the end, so everything around it is drawn larger in the same
 * measure: title and footnotes keep their size on the screen.
 */
export function page(input: PageInput, typeface: Typeface): Scene {
  const width = Math.ceil(Math.max(pageWidth, input.content.width + 2 * margin));
  const scale = Math.min(3, width / pageWidth);
  const inner = width / scale - 2 * margin;
  const above = header(input, inner, typeface);
  const below = footer(input, inner, typeface);
  const contentTop = (above.height + margin) * scale + 10;
  const footerTop = contentTop + input.content.height + 30 * scale;
  return {
    width,
    height: Math.ceil(footerTop + (below.height + margin * 0.6) * scale),
    items: [
      ...scaled(above.items, scale, margin, margin * 0.7),
      ...moved(input.content.items, (width - input.content.width) / 2, contentTop),
      ...scaled(below.items, scale, margin, footerTop / scale),
    ],
  };
}

interface Part {
  readonly height: number;
  readonly items: readonly Item[];
}

function header(input: PageInput, inner: number, typeface: Typeface): Part {
  const titleFace: Face = { typeface, size: 46, weight: 700 };
  const subtitleFace: Face = { typeface, size: 28, weight: 400 };
  const items: Item[] = [];
  let y = 0;
  for (const line of wrapped(drawable(input.title, 300, typeface), inner, 3, titleFace)) {
    items.push({ kind: 'text', x: 0, y: y + 44, text: line, size: 46, weight: 700, fill: ink.text });
    y += 56;
  }
  for (const line of wrapped(drawable(input.subtitle, 300, typeface), inner, 2, subtitleFace)) {
    items.push({ kind: 'text', x: 0, y: y + 30, text: line, size: 28, weight: 400, fill: ink.quiet });
    y += 38;
  }
  return { height: y, items };
}

function footer(input: PageInput, inner: number, typeface: Typeface): Part {
  const items: Item[] = [];
  let x = 0;
  let y = 24;
  for (const entry of input.legend) {
    if (x > 0 && x + entry.width > inner) {
      x = 0;
      y += legendLine;
    }
    items.push(...moved(entry.items, x, y));
    x += entry.width + 36;
  }
  if (input.legend.length > 0) y += legendLine + 16;
  const face: Face = { typeface, size: 24, weight: 400 };
  for (const note of input.footnotes) {
    for (const line of wrapped(drawable(note, 600, typeface), inner, 5, face)) {
      items.push({ kind: 'text', x: 0, y: y + 22, text: line, size: 24, weight: 400, fill: ink.quiet });
      y += 33;
    }
    y += 6;
  }
  const rule: Item = { kind: 'path', d: `M0 0H${inner}`, stroke: ink.hair, strokeWidth: 2 };
  return { height: y, items: input.legend.length + input.footnotes.length > 0 ? [rule, ...items] : [] };
}

/** A legend entry of a sign and words. `signWidth` is the room that the sign takes. */
export function legendEntry(
  sign: readonly Item[],
  signWidth: number,
  text: string,
  typeface: Typeface,
): { readonly width: number; readonly items: readonly Item[] } {
  const face: Face = { typeface, size: 24, weight: 400 };
  const x = signWidth + 12;
  return {
    width: x + widthOf(text, face),
    items: [...sign, { kind: 'text', x, y: 30, text, size: 24, weight: 400, fill: ink.text }],
  };
}

function scaled(items: readonly Item[], scale: number, dx: number, dy: number): readonly Item[] {
  return moved(items, dx, dy).map((item) => {
    if (item.kind === 'text') return { ...item, x: item.x * scale, y: item.y * scale, size: item.size * scale };
    if (item.kind === 'path') {
      const { x, y, scale: own } = item.move ?? { x: 0, y: 0, scale: 1 };
      return { ...item, move: { x: x * scale, y: y * scale, scale: own * scale } };
    }
    return {
      ...item,
      x: item.x * scale,
      y: item.y * scale,
      width: item.width * scale,
      height: item.height * scale,
      radius: (item.radius ?? 0) * scale,
      strokeWidth: (item.strokeWidth ?? 2) * scale,
    };
  });
}
