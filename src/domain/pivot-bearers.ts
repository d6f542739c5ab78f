/** Names that stood for one identity after another: what ties one of them to the seeds says nothing of the others. */
import type { PivotEdge } from '../contracts/pivot.ts';
import { createdId } from './likely-links.ts';
import type { PivotGraph } from './pivot-engine.ts';
import { type GraphNode, nameKeyOfArn } from './principal.ts';

interface Bearer {
  readonly uniqueId: string;
  /** When it was made, ISO 8601 UTC. */
  readonly at: string;
}

export interface Bearers {
  /** The bearers of the node's name that the events of the edge are about; the id alone where the name had but one. */
  sidesOf(id: string, edge: PivotEdge | undefined): readonly string[];
  /** The unique ids that were made under the name and that these sides stand for. */
  madeAmong(name: string, sides: ReadonlySet<string>): readonly string[];
}

const mark = '\u0000';

/** The node that a side is of. */
export function nodeOfSide(side: string): string {
  return side.split(mark, 1)[0] ?? side;
}

/** A name that is asked for is asked for as a whole. */
export function bearersOf(graph: PivotGraph, seeds: readonly GraphNode[]): Bearers {
  const asked = new Set(seeds.map(({ id }) => nameKeyOfArn(id)));
  const remade = new Set(
    graph.nodes.flatMap(({ id, uniqueIds }) => (uniqueIds === undefined ? [] : (nameKeyOfArn(id) ?? []))),
  );
  const names = new Map<string, Bearer[]>();
  const times = new Map<string, string>();
  if (remade.size > 0) {
    for (const record of graph.records) {
      times.set(record.eventID, record.eventTime);
      for (const name of remade) {
        const uniqueId = asked.has(name) ? undefined : createdId(record, name);
        const had = names.get(name) ?? [];
        if (uniqueId === undefined || had.some((one) => one.uniqueId === uniqueId)) continue;
        names.set(name, [...had, { uniqueId, at: record.eventTime }]);
      }
    }
  }
  /** 0 before the first creation in the log. */
  const numberAt = (made: readonly Bearer[], time: string) => made.filter(({ at }) => at <= time).length;
  return {
    sidesOf(id, edge) {
      const made = names.get(nameKeyOfArn(id) ?? '');
      if (made === undefined) return [id];
      // Whoever deletes an identity cannot use it.
      if (edge?.kind === 'deleted') return [];
      const isTold = edge !== undefined && edge.kind !== 'same-as' && edge.events <= edge.eventIds.length;
      const numbers = isTold
        ? edge.eventIds.map((eventId) => numberAt(made, times.get(eventId) ?? ''))
        : [0, ...made.map((_, n) => n + 1)];
      return [...new Set(numbers)].map((number) => `${id}${mark}${number}`);
    },
    madeAmong(name, sides) {
      const ids = [...sides].filter((side) => nameKeyOfArn(nodeOfSide(side)) === name);
      return (names.get(name) ?? []).flatMap(({ uniqueId }, n) =>
        ids.some((side) => side.endsWith(`${mark}${n + 1}`)) ? [uniqueId] : [],
      );
    },
  };
}
