import { afterEach, describe, expect, it } from 'vitest';
import type { PictureRequest, Pictures } from '../../../src/contracts/investigation.ts';
import type { Log } from '../../../src/contracts/log.ts';
import { openPictures, type PicturesOptions } from '../../../src/pictures/pictures.ts';
import { miningGraph, miningTimeline } from './stories.ts';

const graph: PictureRequest = { kind: 'graph', title: 'Pivot: user pipeline', graph: miningGraph };
const timeline: PictureRequest = { kind: 'timeline', title: 'Timeline: user pipeline', timeline: miningTimeline };
const opened: Pictures[] = [];

function open(options: Partial<PicturesOptions> = {}): { pictures: Pictures; logged: string[] } {
  const logged: string[] = [];
  const write = (_fields: unknown, message: string): void => void logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const pictures = openPictures({ log, ...options });
  opened.push(pictures);
  return { pictures, logged };
}

/** A worker module of our own: answers with one byte, hangs on "hang", dies on "die". */
const moody = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ title }) => {
      if (title === 'hang') for (;;) {}
      if (title === 'die') process.exit(3);
      if (title === 'throw') throw new Error('out of ink');
      if (title === 'fail') parentPort.postMessage({ failure: 'no layout' });
      else parentPort.postMessage({ bytes: new Uint8Array([7]) });
    });`)}`,
);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pictures) => pictures.close()));
});

describe('pictures', () => {
  it('draws graph and timeline as PNG attachments with words for those who do not see them', async () => {
    const { pictures } = open();

    const [first, second] = await Promise.all([pictures.draw(graph), pictures.draw(timeline)]);

    expect([first.filename, second.filename]).toEqual(['pivot-graph.png', 'pivot-timeline.png']);
    expect([first.title, second.title]).toEqual(['Pivot: user pipeline', 'Timeline: user pipeline']);
    for (const { bytes, altText } of [first, second]) {
      expect(Buffer.from(bytes.subarray(1, 4)).toString('latin1')).toBe('PNG');
      expect(altText).toContain('user pipeline');
    }
  });

  it('leaves the caller free while it draws', async () => {
    const { pictures } = open();
    await pictures.draw(timeline);
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 1);

    await pictures.draw(graph);

    clearInterval(counting);
    expect(turns).toBeGreaterThan(3);
  });

  it('gives up on a picture that takes too long and draws the next', async () => {
    const { pictures, logged } = open({ worker: moody, timeoutMs: 1500 });

    const hanging = pictures.draw({ ...graph, title: 'hang' });
    const next = pictures.draw(graph);

    await expect(hanging).rejects.toThrow('A picture took longer than 1500 ms.');
    expect((await next).bytes).toEqual(new Uint8Array([7]));
    expect(logged).toContain('picture not drawn');
  });

  it.each([
    ['die', 'ended before it answered'],
    ['throw', 'out of ink'],
    ['fail', 'no layout'],
  ])('survives a worker that meets "%s"', async (title, reason) => {
    const { pictures } = open({ worker: moody });

    await expect(pictures.draw({ ...graph, title })).rejects.toThrow(reason);

    expect((await pictures.draw(graph)).bytes).toEqual(new Uint8Array([7]));
  });

  it('draws nothing once closed, and closing ends the picture in work', async () => {
    const { pictures } = open({ worker: moody });
    await pictures.draw(graph);
    const working = pictures.draw({ ...graph, title: 'hang' });
    const ended = expect(working).rejects.toThrow('ended before it answered');
    await Promise.resolve();

    await pictures.close();

    await ended;
    await expect(pictures.draw(graph)).rejects.toThrow('closed');
  });
});
