import { describe, expect, it } from 'vitest';
import type { GraphPicture } from '../../../src/contracts/investigation.ts';
import { foldGraph } from '../../../src/pictures/graph-fold.ts';
import { miningGraph } from './stories.ts';

function graphOf(nodes: GraphPicture['nodes'], edges: GraphPicture['edges']): GraphPicture {
  return { nodes, edges, footnote: '' };
}

describe('folding a graph', () => {
  it('puts the ten instances of the mining story into one box and adds up their links', () => {
    const { blocks, links, notes } = foldGraph(miningGraph, 120);

    const box = blocks.findIndex((block) => block.nodes.length > 1);
    expect(blocks[box]?.nodes).toHaveLength(10);
    expect(links.filter((link) => link.to === box).map((link) => link.labels)).toEqual([['created ×10']]);
    expect(blocks).toHaveLength(miningGraph.nodes.length - 9);
    expect(notes).toEqual([]);
  });

  it('lists what is alive first, because a long list is cut at its end', () => {
    const nodes = Array.from({ length: 20 }, (_, i) => ({
      id: `i-${i}`,
      kind: 'resource',
      label: `i-${i}`,
      ...(i === 19 ? { mark: 'alive' as const } : {}),
    }));

    expect(foldGraph(graphOf(nodes, []), 120).blocks[0]?.nodes[0]?.id).toBe('i-19');
  });

  it('never folds the seed, nor what was not followed with what was', () => {
    const nodes: GraphPicture['nodes'] = [
      { id: 'a', kind: 'ip', label: 'a', mark: 'seed' },
      ...['b', 'c', 'd'].map((id) => ({ id, kind: 'ip', label: id })),
      ...['e', 'f', 'g'].map((id) => ({ id, kind: 'ip', label: id, mark: 'not-followed' as const })),
    ];

    const { blocks } = foldGraph(graphOf(nodes, []), 120);

    expect(blocks.map((block) => block.nodes.map((node) => node.id))).toEqual([
      ['a'],
      ['b', 'c', 'd'],
      ['e', 'f', 'g'],
    ]);
  });

  it('joins parallel links and keeps the two directions apart', () => {
    const nodes = ['a', 'b'].map((id) => ({ id, kind: 'user', label: id }));
    const edges = [
      { from: 'a', to: 'b', label: 'created ×1' },
      { from: 'a', to: 'b', label: 'changed ×2' },
      { from: 'b', to: 'a', label: 'assumed' },
    ];

    expect(foldGraph(graphOf(nodes, edges), 120).links).toEqual([
      { from: 0, to: 1, labels: ['created ×1', 'changed ×2'] },
      { from: 1, to: 0, labels: ['assumed'] },
    ]);
  });

  it('keeps the seed and what is nearest to it, and says how much is missing', () => {
    const nodes = Array.from({ length: 10 }, (_, i) => ({
      id: `n${i}`,
      kind: 'user',
      label: `n${i}`,
      ...(i === 5 ? { mark: 'seed' as const } : {}),
    }));
    const edges = nodes.slice(1).map((node, i) => ({ from: `n${i}`, to: node.id, label: 'assumed' }));

    const { blocks, links, notes } = foldGraph(graphOf(nodes, edges), 3);

    expect(blocks.flatMap((block) => block.nodes.map((node) => node.id))).toEqual(['n5', 'n4', 'n6']);
    expect(links).toHaveLength(2);
    expect(notes).toEqual(['3 of 10 nodes are drawn, the nearest to the seed; the answer lists all.']);
  });

  it('says that links lead to nodes which are not in the picture', () => {
    const nodes = [{ id: 'a', kind: 'user', label: 'a' }];

    expect(foldGraph(graphOf(nodes, [{ from: 'a', to: 'gone', label: 'x' }]), 120).notes).toEqual([
      '1 link to nodes outside this picture not drawn.',
    ]);
  });
});
