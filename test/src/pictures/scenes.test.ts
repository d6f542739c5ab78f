import { describe, expect, it } from 'vitest';
import type { GraphPicture, TimelinePicture } from '../../../src/contracts/investigation.ts';
import { graphScene } from '../../../src/pictures/graph-scene.ts';
import type { Scene } from '../../../src/pictures/scene.ts';
import { toSvg } from '../../../src/pictures/svg.ts';
import { timelineScene } from '../../../src/pictures/timeline-scene.ts';
import { openTypefaces } from '../../../src/pictures/typeface.ts';
import { miningGraph, miningTimeline, oddNames } from './stories.ts';

const typeface = await openTypefaces()('Привет');

function textsOf(scene: Scene): readonly string[] {
  return scene.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []));
}

/** Every text that sticks out of the page, and every pair of texts that lie on one another. */
function troubles(scene: Scene): readonly string[] {
  const boxes = scene.items.flatMap((item) => {
    if (item.kind !== 'text') return [];
    const width = typeface.measure(item.text, item.size, item.weight);
    return [{ text: item.text, left: item.x, right: item.x + width, top: item.y - item.size * 0.7, bottom: item.y }];
  });
  const outside = boxes.filter(
    ({ left, right, top, bottom }) => left < 0 || right > scene.width || top < 0 || bottom > scene.height,
  );
  const crossing = boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${a.text} / ${b.text}`),
  );
  return [...outside.map(({ text }) => `outside: ${text}`), ...crossing];
}

describe('the graph of the mining story', () => {
  it('says in words what colours and shapes say', async () => {
    const texts = textsOf(await graphScene('Pivot: user pipeline', miningGraph, typeface));

    for (const words of ['IAM user', 'Access key', 'IP address', 'Role session', '10 EC2 instances', 'seed', 'ALIVE']) {
      expect(texts).toContain(words);
    }
    expect(texts).toContain('not followed');
    expect(texts).toContain('created ×10');
    expect(texts.join(' ')).toContain('Coverage: account 111122223333');
  });

  it('cuts long lists where they would make all of it small on a phone, and says how many more are alive', async () => {
    const kinds = ['resource', 'user', 'role', 'ip', 'accessKey'];
    const made = kinds.flatMap((kind) =>
      Array.from({ length: 9 }, (_, i) => {
        const id = kind === 'resource' ? `i-0000000000000000${i}` : `${kind}-${i}`;
        return { id, kind, label: id, ...(kind === 'resource' ? { mark: 'alive' as const } : {}) };
      }),
    );
    const seed = { id: 'u', kind: 'user', label: 'u', mark: 'seed' as const };
    const star = (nodes: typeof made): GraphPicture => ({
      nodes: [seed, ...nodes],
      edges: nodes.map((node) => ({ from: 'u', to: node.id, label: 'created' })),
      footnote: '',
    });
    const tall = await graphScene('Pivot', star(made), typeface);
    const flat = await graphScene('Pivot', star(made.slice(0, 9)), typeface);

    expect(textsOf(tall)).toContain('and 5 more, 5 of them alive');
    expect(textsOf(tall)).toContain('and 5 more');
    expect(troubles(tall)).toEqual([]);
    expect(textsOf(flat)).toContain('i-00000000000000008');
  });

  it('has no text on another and none outside the page', async () => {
    expect(troubles(await graphScene('Pivot: user pipeline', miningGraph, typeface))).toEqual([]);
  });

  it('has no letter smaller than 22 px at a width of 1200', async () => {
    const scene = await graphScene('Pivot: user pipeline', miningGraph, typeface);

    expect(
      Math.min(...scene.items.flatMap((item) => (item.kind === 'text' ? [item.size] : []))),
    ).toBeGreaterThanOrEqual(22);
  });
});

describe('the timeline of the mining story', () => {
  it('shows bursts as one mark with a count, failures in words, and every tactic in the legend', () => {
    const texts = textsOf(timelineScene('Timeline', miningTimeline, typeface));

    expect(texts).toContain('RunInstances ×4 failed');
    expect(texts).toContain('ListUsers ×6 failed');
    for (const tactic of ['Discovery', 'Execution', 'Impact', 'Persistence', 'Initial Access', 'No tactic']) {
      expect(texts).toContain(tactic);
    }
    expect(texts).toContain('hollow: the call failed');
    expect(texts).toContain('Drawn: 2026-11-20 10:00 to 2026-11-20 13:00 UTC.');
  });

  it('has no text on another and none outside the page', () => {
    expect(troubles(timelineScene('Timeline', miningTimeline, typeface))).toEqual([]);
  });
});

describe('a timeline of very many events', () => {
  it('has no text on another, counts every identity, and shows every event in some mark', () => {
    const events = Array.from({ length: 5000 }, (_, i) => ({
      at: new Date(Date.UTC(2026, 0, 1) + ((i * 7919) % 5000) * 977_000).toISOString(),
      lane: `identity ${i % 40}`,
      label: `Call${i % 30}`,
      tactic: ['Discovery', 'Impact'][i % 2] ?? '',
      failed: false,
    }));
    const picture: TimelinePicture = { lanes: [], events, from: '', to: '', footnote: '' };

    const scene = timelineScene('Many', picture, typeface);

    expect(troubles(scene)).toEqual([]);
    expect(textsOf(scene).join(' ')).toContain('5,000 events of 40 identities');
    expect(textsOf(scene).join(' ')).not.toContain('want of room');
  });

  it('says how many events could not be read', () => {
    const event = { lane: 'a', label: 'X', failed: false };
    const picture: TimelinePicture = {
      lanes: [],
      events: [
        { ...event, at: 'soon' },
        { ...event, at: '2026-11-20T10:00:00Z' },
      ],
      from: '2026-11-20T10:00:00Z',
      to: '2026-11-20T11:00:00Z',
      footnote: '',
    };

    expect(textsOf(timelineScene('T', picture, typeface))).toContain('1 event without a readable time not drawn.');
  });
});

describe('text from outside', () => {
  it.each(oddNames)('never stands in the SVG: %j', async (name) => {
    const picture: GraphPicture = {
      nodes: [{ id: name, kind: name, label: name, detail: name }],
      edges: [{ from: name, to: name, label: name }],
      footnote: name,
    };

    const svg = toSvg(await graphScene(name, picture, typeface), typeface);

    expect(svg.replace(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/, '<svg')).toMatch(
      /^<svg [^<>]*>(?:<(?:rect|path) [a-z-]+="[-\w#.,() ]*"(?: [a-z-]+="[-\w#.,() ]*")*\/>)*<\/svg>$/,
    );
  });

  it('keeps names apart that the font cannot draw', async () => {
    const labels = ['攻撃', '攻擊'];
    const picture: GraphPicture = {
      nodes: labels.map((label) => ({ id: label, kind: 'user', label })),
      edges: [],
      footnote: '',
    };

    const texts = textsOf(await graphScene('Names', picture, typeface));

    expect(texts).toContain('\\u{653b}\\u{6483}');
    expect(texts).toContain('\\u{653b}\\u{64ca}');
  });

  it('is written in Cyrillic, Greek and Vietnamese as it is', async () => {
    const label = 'Привет Ελλάδα Tiếng';
    const picture: GraphPicture = { nodes: [{ id: 'a', kind: 'user', label }], edges: [], footnote: '' };

    expect(textsOf(await graphScene('Names', picture, typeface))).toContain(label);
  });
});
