import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphPicture, PictureRequest, TimelinePicture } from '../../../src/contracts/investigation.ts';
import { limits, openDrawing } from '../../../src/pictures/draw.ts';
import { miningGraph, miningTimeline, oddNames } from './stories.ts';

const draw = openDrawing();

interface PngSize {
  readonly width: number;
  readonly height: number;
}

/** Width and height from the PNG's own header; fails for what is no whole PNG within the limits. */
function checked(bytes: Uint8Array): PngSize {
  const buffer = Buffer.from(bytes);
  expect(buffer.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
  expect(buffer.subarray(-8, -4).toString('latin1')).toBe('IEND');
  const size = { width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20) };
  expect(size.width * size.height).toBeLessThanOrEqual(limits.pixels);
  expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(limits.side);
  expect(bytes.byteLength).toBeLessThanOrEqual(limits.bytes);
  return size;
}

function graph(picture: Partial<GraphPicture>, title = 'Graph'): PictureRequest {
  return { kind: 'graph', title, graph: { nodes: [], edges: [], footnote: '', ...picture } };
}

function timeline(picture: Partial<TimelinePicture>, title = 'Timeline'): PictureRequest {
  const window = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T13:00:00Z' };
  return { kind: 'timeline', title, timeline: { lanes: [], events: [], ...window, footnote: '', ...picture } };
}

function nodes(count: number): GraphPicture['nodes'] {
  const kinds = ['user', 'session', 'ip', 'resource', 'accessKey', 'role'];
  return Array.from({ length: count }, (_, i) => ({ id: `n${i}`, kind: kinds[i % 6] ?? '', label: `node ${i}` }));
}

describe('a graph picture', () => {
  it('of the mining story is upright or square and wide enough to read', async () => {
    const size = checked(await draw({ kind: 'graph', title: 'Pivot: user pipeline', graph: miningGraph }));

    expect(size.width).toBeGreaterThanOrEqual(1200);
    expect(size.width / size.height).toBeLessThan(1.4);
  });

  it('has the same bytes for the same request', async () => {
    const request: PictureRequest = { kind: 'graph', title: 'Pivot', graph: miningGraph };

    expect(Buffer.from(await draw(request)).equals(await openDrawing()(request))).toBe(true);
  });

  it('of nothing is a picture that says so', async () => {
    checked(await draw(graph({})));
  });

  it('of a thousand nodes in a chain stays within the limits', async () => {
    const chain = nodes(1000);
    const edges = chain.slice(1).map((node, i) => ({ from: `n${i}`, to: node.id, label: 'assumed ×1' }));

    checked(await draw(graph({ nodes: chain, edges })));
  });

  it('of a star with a thousand leaves stays within the limits', async () => {
    const star = nodes(1000);
    const edges = star.slice(1).map((node) => ({ from: 'n0', to: node.id, label: 'created ×1' }));

    checked(await draw(graph({ nodes: star, edges })));
  });

  it('of three hundred nodes linked all over stays within the limits', async () => {
    const all = nodes(300);
    const edges = all.flatMap((node, i) =>
      [7, 31, 101].map((step) => ({ from: node.id, to: `n${(i * step + step) % 300}`, label: `changed ×${i}` })),
    );

    checked(await draw(graph({ nodes: all, edges })));
  });

  it('of nodes without links, of links without nodes and of a node linked to itself is drawn', async () => {
    checked(await draw(graph({ nodes: nodes(150) })));
    checked(await draw(graph({ edges: [{ from: 'a', to: 'b', label: 'x' }] })));
    checked(await draw(graph({ nodes: nodes(1), edges: [{ from: 'n0', to: 'n0', label: 'assumed ×9' }] })));
    checked(await draw(graph({ nodes: [...nodes(2), ...nodes(2)], edges: [{ from: 'n0', to: 'n1', label: '' }] })));
  });

  it.each(oddNames)('is drawn for the name %j', async (name) => {
    const odd: GraphPicture = {
      nodes: [
        { id: name, kind: name, label: name, detail: name, mark: 'seed' },
        { id: 'other', kind: 'user', label: name, mark: 'not-followed' },
      ],
      edges: [{ from: name, to: 'other', label: name }],
      footnote: name,
    };

    checked(await draw(graph(odd, name)));
  });

  it('is drawn for any small graph', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom(...oddNames));
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', '__proto__');
    const mark = fc.constantFrom('seed', 'alive', 'not-followed', undefined);
    const node = fc
      .record({ id, kind: fc.constantFrom('user', 'ip', 'resource', 'odd'), label: text, detail: text, mark })
      .map(({ mark: marked, ...rest }) => (marked === undefined ? rest : { ...rest, mark: marked }));
    const picture = fc.record({
      nodes: fc.array(node, { maxLength: 9 }),
      edges: fc.array(fc.record({ from: id, to: id, label: text }), { maxLength: 12 }),
      footnote: text,
    });

    await fc.assert(
      fc.asyncProperty(picture, text, async (each, title) => {
        checked(await draw(graph(each, title)));
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('a timeline picture', () => {
  it('of the mining story is as wide as text needs and no thin strip', async () => {
    const size = checked(await draw({ kind: 'timeline', title: 'Timeline', timeline: miningTimeline }));

    expect(size.width).toBe(1200);
    expect(size.width / size.height).toBeLessThan(1.3);
  });

  it('has the same bytes for the same request', async () => {
    const request: PictureRequest = { kind: 'timeline', title: 'Timeline', timeline: miningTimeline };

    expect(Buffer.from(await draw(request)).equals(await openDrawing()(request))).toBe(true);
  });

  it('of nothing, of one instant, and of a window without length is drawn', async () => {
    const instant = '2026-11-20T10:00:00Z';
    const events = Array.from({ length: 500 }, () => ({
      at: instant,
      lane: 'a',
      label: 'RunInstances',
      failed: false,
    }));

    checked(await draw(timeline({})));
    checked(await draw(timeline({ lanes: [{ id: 'a', label: 'a' }] })));
    checked(await draw(timeline({ events, from: instant, to: instant })));
    checked(await draw(timeline({ events, from: 'yesterday', to: '' })));
  });

  it('of five thousand events of three hundred identities stays within the limits', async () => {
    const events = Array.from({ length: 5000 }, (_, i) => ({
      at: new Date(Date.UTC(2026, 0, 1) + ((i * 7919) % 5000) * 977_000).toISOString(),
      lane: `identity ${i % 300}`,
      label: `Call${i % 997}`,
      tactic: `tactic ${i % 50}`,
      failed: i % 3 === 0,
    }));

    checked(await draw(timeline({ events })));
  });

  it('of unreadable and far times is drawn', async () => {
    const times = ['', 'soon', '0000-01-01T00:00:00Z', '+275000-01-01T00:00:00Z', '-271000-01-01T00:00:00Z'];
    const events = [...times, '2026-11-20T10:00:00Z'].map((at) => ({ at, lane: 'a', label: 'X', failed: false }));

    checked(await draw(timeline({ events })));
  });

  it.each(oddNames)('is drawn for the name %j', async (name) => {
    const events = [{ at: '2026-11-20T10:00:00Z', lane: name, label: name, tactic: name, failed: true }];

    checked(await draw(timeline({ lanes: [{ id: name, label: name }], events, footnote: name }, name)));
  });

  it('is drawn for any small timeline', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom(...oddNames));
    const time = fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.integer({ min: 0, max: 7_200_000 }).map((ms) => new Date(Date.UTC(2026, 10, 20) + ms).toISOString()),
      text,
    );
    const lane = fc.constantFrom('a', 'b', 'c', '__proto__');
    const event = fc.record({ at: time, lane, label: text, tactic: text, failed: fc.boolean() });
    const picture = fc.record({
      lanes: fc.array(fc.record({ id: lane, label: text }), { maxLength: 4 }),
      events: fc.array(event, { maxLength: 30 }),
      from: time,
      to: time,
      footnote: text,
    });

    await fc.assert(
      fc.asyncProperty(picture, text, async (each, title) => {
        checked(await draw(timeline(each, title)));
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
