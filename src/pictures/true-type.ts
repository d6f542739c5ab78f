/**
 * A reader of TrueType fonts: advance widths and outlines. Text is drawn as outlines because then it measures exactly as
 * it is drawn, needs no font files on disk, and never stands in the SVG as text.
 * Source of the rules: the OpenType specification, tables cmap (formats 4 and 12), hmtx, loca and glyf.
 */

export interface TrueTypeFont {
  readonly unitsPerEm: number;
  /** The glyph of a code point, or undefined where the font has none. */
  glyph(codePoint: number): number | undefined;
  /** In font units. */
  advance(glyph: number): number;
  outline(glyph: number): readonly Contour[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly onCurve: boolean;
}
export type Contour = readonly Point[];

/** Composite glyphs of real fonts nest once or twice; a broken font must not nest for ever. */
const maxNesting = 6;

/** Reads the tables that drawing needs. Throws Error for bytes that are no TrueType font with outlines. */
export function parseTrueType(bytes: Uint8Array): TrueTypeFont {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = tableOffsets(view);
  const at = (name: string): number => {
    const offset = tables.get(name);
    if (offset === undefined) throw new Error(`The font has no ${name} table.`);
    return offset;
  };
  const head = at('head');
  const longOffsets = view.getInt16(head + 50) === 1;
  const metrics = view.getUint16(at('hhea') + 34);
  const hmtx = at('hmtx');
  const loca = at('loca');
  const glyf = at('glyf');
  const glyphs = characterMap(view, at('cmap'));

  function span(glyph: number): { start: number; end: number } {
    return longOffsets
      ? { start: view.getUint32(loca + glyph * 4), end: view.getUint32(loca + glyph * 4 + 4) }
      : { start: view.getUint16(loca + glyph * 2) * 2, end: view.getUint16(loca + glyph * 2 + 2) * 2 };
  }

  function outline(glyph: number, nesting = 0): readonly Contour[] {
    const { start, end } = span(glyph);
    if (start === end || nesting > maxNesting) return [];
    const contours = view.getInt16(glyf + start);
    if (contours >= 0) return simpleOutline(view, glyf + start, contours);
    return components(view, glyf + start + 10).flatMap((part) =>
      outline(part.glyph, nesting + 1).map((contour) =>
        contour.map((point) => ({
          x: point.x * part.xx + point.y * part.yx + part.dx,
          y: point.x * part.xy + point.y * part.yy + part.dy,
          onCurve: point.onCurve,
        })),
      ),
    );
  }

  return {
    unitsPerEm: view.getUint16(head + 18),
    glyph: (codePoint) => glyphs.get(codePoint),
    advance: (glyph) => view.getUint16(hmtx + Math.min(glyph, metrics - 1) * 4),
    outline: (glyph) => outline(glyph),
  };
}

function tableOffsets(view: DataView): Map<string, number> {
  const tables = new Map<string, number>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const record = 12 + i * 16;
    const name = String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(record + byte)));
    tables.set(name, view.getUint32(record + 8));
  }
  return tables;
}

function characterMap(view: DataView, cmap: number): Map<number, number> {
  const glyphs = new Map<number, number>();
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const table = cmap + view.getUint32(cmap + 4 + i * 8 + 4);
    const format = view.getUint16(table);
    if (format === 4) readFormat4(view, table, glyphs);
    if (format === 12) readFormat12(view, table, glyphs);
  }
  return glyphs;
}

function readFormat4(view: DataView, table: number, glyphs: Map<number, number>): void {
  const twiceSegments = view.getUint16(table + 6);
  for (let segment = 0; segment < twiceSegments; segment += 2) {
    const end = view.getUint16(table + 14 + segment);
    const startAt = table + 16 + twiceSegments + segment;
    const start = view.getUint16(startAt);
    const delta = view.getUint16(startAt + twiceSegments);
    const rangeAt = startAt + 2 * twiceSegments;
    const range = view.getUint16(rangeAt);
    for (let code = start; code <= end && code !== 0xffff; code++) {
      const raw = range === 0 ? code : view.getUint16(rangeAt + range + (code - start) * 2);
      const glyph = range !== 0 && raw === 0 ? 0 : (raw + delta) & 0xffff;
      if (glyph !== 0) glyphs.set(code, glyph);
    }
  }
}

function readFormat12(view: DataView, table: number, glyphs: Map<number, number>): void {
  for (let i = 0; i < view.getUint32(table + 12); i++) {
    const group = table + 16 + i * 12;
    const start = view.getUint32(group);
    for (let code = start; code <= view.getUint32(group + 4); code++) {
      glyphs.set(code, view.getUint32(group + 8) + code - start);
    }
  }
}

function simpleOutline(view: DataView, start: number, contours: number): readonly Contour[] {
  if (contours === 0) return [];
  const ends = Array.from({ length: contours }, (_, i) => view.getUint16(start + 10 + i * 2));
  const points = (ends.at(-1) ?? -1) + 1;
  let at = start + 10 + contours * 2;
  at += 2 + view.getUint16(at);
  const flags: number[] = [];
  while (flags.length < points) {
    const flag = view.getUint8(at++);
    const times = flag & 8 ? view.getUint8(at++) + 1 : 1;
    for (let i = 0; i < times; i++) flags.push(flag);
  }
  function coordinates(short: number, same: number): number[] {
    let value = 0;
    return flags.map((flag) => {
      if (flag & short) value += flag & same ? view.getUint8(at++) : -view.getUint8(at++);
      else if (!(flag & same)) {
        value += view.getInt16(at);
        at += 2;
      }
      return value;
    });
  }
  const xs = coordinates(2, 16);
  const ys = coordinates(4, 32);
  return ends.map((end, i) => {
    const first = i === 0 ? 0 : (ends[i - 1] ?? -1) + 1;
    return flags.slice(first, end + 1).map((flag, j) => ({
      x: xs[first + j] ?? 0,
      y: ys[first + j] ?? 0,
      onCurve: (flag & 1) === 1,
    }));
  });
}

interface Component {
  readonly glyph: number;
  readonly dx: number;
  readonly dy: number;
  readonly xx: number;
  readonly xy: number;
  readonly yx: number;
  readonly yy: number;
}

function components(view: DataView, start: number): readonly Component[] {
  const parts: Component[] = [];
  let at = start;
  let flags: number;
  const fixed = (offset: number): number => view.getInt16(offset) / 16384;
  do {
    flags = view.getUint16(at);
    const glyph = view.getUint16(at + 2);
    const words = (flags & 1) !== 0;
    // Offsets that are point numbers instead of distances (flag 2 unset) do not occur in Inter: taken as no offset.
    const placed = (flags & 2) !== 0;
    const dx = placed ? (words ? view.getInt16(at + 4) : view.getInt8(at + 4)) : 0;
    const dy = placed ? (words ? view.getInt16(at + 6) : view.getInt8(at + 5)) : 0;
    at += words ? 8 : 6;
    let [xx, xy, yx, yy] = [1, 0, 0, 1];
    if (flags & 8) {
      xx = yy = fixed(at);
      at += 2;
    } else if (flags & 64) {
      xx = fixed(at);
      yy = fixed(at + 2);
      at += 4;
    } else if (flags & 128) {
      [xx, xy, yx, yy] = [fixed(at), fixed(at + 2), fixed(at + 4), fixed(at + 6)];
      at += 8;
    }
    parts.push({ glyph, dx, dy, xx, xy, yx, yy });
  } while (flags & 32);
  return parts;
}
