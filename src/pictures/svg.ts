/** Writes a scene as SVG. No text from outside stands in the result: texts are outlines, everything else is ours. */
import { type Item, ink, type Scene } from './scene.ts';
import type { Typeface } from './typeface.ts';

export function toSvg(scene: Scene, typeface: Typeface): string {
  const size = `width="${scene.width}" height="${scene.height}" viewBox="0 0 ${scene.width} ${scene.height}"`;
  const paper = `<rect width="${scene.width}" height="${scene.height}" fill="${ink.paper}"/>`;
  const body = scene.items.map((item) => element(item, typeface)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${paper}${body}</svg>`;
}

function element(item: Item, typeface: Typeface): string {
  switch (item.kind) {
    case 'rect': {
      const place = `x="${round(item.x)}" y="${round(item.y)}" width="${round(item.width)}" height="${round(item.height)}"`;
      const opacity = item.opacity === undefined ? '' : ` opacity="${item.opacity}"`;
      return `<rect ${place} rx="${item.radius ?? 0}"${paint(item)}${opacity}/>`;
    }
    case 'path': {
      const { move } = item;
      const transform =
        move === undefined ? '' : ` transform="translate(${round(move.x)} ${round(move.y)}) scale(${move.scale})"`;
      return `<path d="${item.d}"${paint(item)}${transform}/>`;
    }
    case 'text': {
      const d = typeface.outline(item.text, item.x, item.y, item.size, item.weight);
      return d === '' ? '' : `<path d="${d}" fill="${item.fill}"/>`;
    }
  }
}

function paint(item: Extract<Item, { kind: 'rect' | 'path' }>): string {
  const stroke =
    item.stroke === undefined
      ? ''
      : ` stroke="${item.stroke}" stroke-width="${item.strokeWidth ?? 2}" stroke-linecap="round" stroke-linejoin="round"`;
  const dashes = item.dashed === true ? ' stroke-dasharray="10 9"' : '';
  return ` fill="${item.fill ?? 'none'}"${stroke}${dashes}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
