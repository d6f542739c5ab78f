/** From a request to a PNG within Slack's and a phone's limits. Runs in the worker: Graphviz and resvg block their thread. */
import { Resvg } from '@resvg/resvg-js';
import type { PictureRequest } from '../contracts/investigation.ts';
import { graphScene } from './graph-scene.ts';
import type { Scene } from './scene.ts';
import { toSvg } from './svg.ts';
import { timelineScene } from './timeline-scene.ts';
import { openTypefaces, type Typeface } from './typeface.ts';

export const limits = { pixels: 4_000_000, side: 4096, bytes: 1_000_000 } as const;

/** Returns the drawing function; it keeps the fonts that it has read. The same request gives the same bytes. */
export function openDrawing(): (request: PictureRequest) => Promise<Uint8Array> {
  const typefaceFor = openTypefaces();
  return async function draw(request) {
    const typeface = await typefaceFor(JSON.stringify(request));
    return toPng(await sceneOf(request, typeface), typeface);
  };
}

async function sceneOf(request: PictureRequest, typeface: Typeface): Promise<Scene> {
  return request.kind === 'graph'
    ? await graphScene(request.title, request.graph, typeface)
    : timelineScene(request.title, request.timeline, typeface);
}

function toPng(scene: Scene, typeface: Typeface): Uint8Array {
  const svg = toSvg(scene, typeface);
  let zoom = Math.min(
    1,
    Math.sqrt(limits.pixels / (scene.width * scene.height)),
    limits.side / Math.max(scene.width, scene.height),
  );
  for (;;) {
    const width = Math.max(1, Math.floor(scene.width * zoom));
    const options = { fitTo: { mode: 'width', value: width }, font: { loadSystemFonts: false } } as const;
    const png = new Resvg(svg, options).render().asPng();
    // Few pictures are so dense; a smaller one always comes below the limit in the end.
    if (png.byteLength <= limits.bytes || width < 200) return Uint8Array.from(png);
    zoom *= 0.8;
  }
}
