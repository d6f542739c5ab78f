/** Inter in three weights, read from the npm package, as measures and outlines. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { decompress } from 'wawoff2';
import { type Contour, type Point, parseTrueType, type TrueTypeFont } from './true-type.ts';

const weights = [400, 600, 700] as const;
export type Weight = (typeof weights)[number];

export interface Typeface {
  /** True where the font can draw the character. */
  has(character: string): boolean;
  /** Width in px of one line at a size in px. */
  measure(text: string, size: number, weight: Weight): number;
  /** SVG path data of one line whose baseline starts at (x, y). */
  outline(text: string, x: number, y: number, size: number, weight: Weight): string;
}

const subsets = ['latin', 'latin-ext', 'cyrillic', 'cyrillic-ext', 'greek', 'greek-ext', 'vietnamese'] as const;
type Subset = (typeof subsets)[number];

interface Glyph {
  readonly advance: number;
  readonly contours: readonly Contour[];
}

/**
 * Returns a function that gives the typeface with all subsets that a text needs; what was read once is kept in memory.
 * Nearly every picture is plain Latin, and the other subsets cost about a tenth of a second to unpack.
 */
export function openTypefaces(): (text: string) => Promise<Typeface> {
  const loaded = new Map<Subset, Promise<ReadonlyMap<Weight, TrueTypeFont>>>();
  const typefaces = new Map<string, Typeface>();

  async function typefaceFor(text: string): Promise<Typeface> {
    const needed = /[^ -~\u00a0-\u00ff\u2010-\u2026]/u.test(text) ? subsets : (['latin'] as const);
    const known = typefaces.get(needed.join());
    if (known !== undefined) return known;
    const fonts = await Promise.all(
      needed.map((subset) => {
        const fontsOfSubset = loaded.get(subset) ?? readSubset(subset);
        loaded.set(subset, fontsOfSubset);
        return fontsOfSubset;
      }),
    );
    const typeface = makeTypeface(fonts);
    typefaces.set(needed.join(), typeface);
    return typeface;
  }
  return typefaceFor;
}

async function readSubset(subset: Subset): Promise<ReadonlyMap<Weight, TrueTypeFont>> {
  const fonts = new Map<Weight, TrueTypeFont>();
  const require = createRequire(import.meta.url);
  for (const weight of weights) {
    const path = require.resolve(`@fontsource/inter/files/inter-${subset}-${weight}-normal.woff2`);
    // A copy: the bytes that come back lie in wawoff2's own memory and are written over by its next call.
    fonts.set(weight, parseTrueType(Uint8Array.from(await decompress(await readFile(path)))));
  }
  return fonts;
}

function makeTypeface(fonts: readonly ReadonlyMap<Weight, TrueTypeFont>[]): Typeface {
  const glyphs = new Map<string, Glyph | undefined>();

  function glyphOf(character: string, weight: Weight): Glyph | undefined {
    const key = `${weight}${character}`;
    if (!glyphs.has(key)) glyphs.set(key, findGlyph(character, weight));
    return glyphs.get(key);
  }

  function findGlyph(character: string, weight: Weight): Glyph | undefined {
    for (const subset of fonts) {
      const font = subset.get(weight);
      const id = font?.glyph(character.codePointAt(0) ?? 0);
      if (font === undefined || id === undefined) continue;
      const scale = 1 / font.unitsPerEm;
      const contours = font
        .outline(id)
        .map((contour) => contour.map((point) => ({ ...point, x: point.x * scale, y: -point.y * scale })));
      return { advance: font.advance(id) * scale, contours };
    }
    return undefined;
  }

  return {
    has: (character) => glyphOf(character, 400) !== undefined,
    measure(text, size, weight) {
      let width = 0;
      for (const character of text) width += (glyphOf(character, weight)?.advance ?? 0) * size;
      return width;
    },
    outline(text, x, y, size, weight) {
      let path = '';
      let pen = x;
      for (const character of text) {
        const glyph = glyphOf(character, weight);
        if (glyph === undefined) continue;
        for (const contour of glyph.contours) path += contourPath(contour, pen, y, size);
        pen += glyph.advance * size;
      }
      return path;
    },
  };
}

/** TrueType contours are quadratic curves; between two control points lies an implied point on the curve, midway. */
function contourPath(contour: Contour, dx: number, dy: number, size: number): string {
  const write = (point: { x: number; y: number }): string =>
    `${round(dx + point.x * size)} ${round(dy + point.y * size)}`;
  const first = contour[0];
  if (first === undefined) return '';
  const start = contour.find((point) => point.onCurve) ?? middle(first, contour.at(-1) ?? first);
  const offset = contour.findIndex((point) => point.onCurve) + 1;
  let path = `M${write(start)}`;
  let control: Point | undefined;
  for (let i = 0; i < contour.length; i++) {
    const point = contour[(offset + i) % contour.length] ?? first;
    if (point.onCurve) {
      path += control === undefined ? `L${write(point)}` : `Q${write(control)} ${write(point)}`;
      control = undefined;
    } else {
      if (control !== undefined) path += `Q${write(control)} ${write(middle(control, point))}`;
      control = point;
    }
  }
  if (control !== undefined) path += `Q${write(control)} ${write(start)}`;
  return `${path}Z`;
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, onCurve: true };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
