import { describe, expect, it } from 'vitest';
import { altTextOf } from '../../../src/pictures/alt-text.ts';
import { miningGraph, miningTimeline, oddNames } from './stories.ts';

describe('the words for a picture', () => {
  it('tell the graph: what is in it, where it starts, what lives on, what was not followed', () => {
    const text = altTextOf({ kind: 'graph', title: 'Pivot: user pipeline', graph: miningGraph });

    expect(text).toBe(
      'Pivot: user pipeline. A graph of 18 nodes and 19 links: 1 IAM user, 1 access key, 2 IP addresses, 1 role session, ' +
        '1 role, 10 EC2 instances, 2 resources. It starts at IAM user pipeline. Still alive: access key ' +
        'AKIAIOSFODNN7EXAMPLE, EC2 instance i-0f1a2b3c4d5e60701, EC2 instance i-0f1a2b3c4d5e60702, EC2 instance ' +
        'i-0f1a2b3c4d5e60703 and 6 more. Not followed further: IP address 198.51.100.7.',
    );
  });

  it('tell the timeline: who, from when to when, what failed, which tactics', () => {
    const text = altTextOf({ kind: 'timeline', title: 'Timeline', timeline: miningTimeline });

    expect(text).toContain(
      '38 events by 2 identities, from 2026-11-20 10:05 to 2026-11-20 12:58 UTC; 11 calls failed.',
    );
    expect(text).toContain('user pipeline (35 events)');
    expect(text).toContain('Discovery 20');
  });

  it('say that there is nothing where there is nothing', () => {
    expect(altTextOf({ kind: 'graph', title: 'G', graph: { nodes: [], edges: [], footnote: '' } })).toContain('empty');
    const timeline = { lanes: [], events: [], from: '', to: '', footnote: '' };
    expect(altTextOf({ kind: 'timeline', title: 'T', timeline })).toContain('no events');
  });

  it('stay within 1,000 characters and on one line for odd names', () => {
    const nodes = oddNames.map((name, i) => ({
      id: `${i}`,
      kind: 'user',
      label: name.repeat(5),
      mark: (['seed', 'alive', 'not-followed'] as const)[i % 3] ?? 'seed',
    }));
    const text = altTextOf({ kind: 'graph', title: 'x'.repeat(5000), graph: { nodes, edges: [], footnote: '' } });

    expect(text.length).toBeLessThanOrEqual(1000);
    expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  });
});
