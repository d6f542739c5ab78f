/** The answer of a pivot, in the external JSON shape (DESIGN.md 5). */
import type { Artifact, EdgeKind, NodeKind } from './artifact.ts';
import type { Coverage } from './evidence.ts';
import type { PersonLine } from './network.ts';

export interface PivotNode {
  readonly kind: NodeKind;
  readonly id: string;
  /** Hops from the seed; the seed is 0. */
  readonly depth: number;
  /** Records in which the node takes part, of those that were read. */
  readonly events: number;
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  readonly expanded: boolean;
  readonly notExpandedBecause?: string;
  /** Where more than one identity had this name, one after the other: their unique ids, oldest first. */
  readonly uniqueIds?: readonly string[];
}

export interface PivotEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  readonly events: number;
  /** The first 20 event ids. */
  readonly eventIds: readonly string[];
  /** Matched by session and time, not by an id: probable, not proven. */
  readonly likely?: true;
}

/** A sighting: a call in the graph that the technique table knows. */
export interface Sighting {
  readonly eventId: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly principal: string;
  readonly sourceIp: string;
  readonly region: string;
  readonly outcome: 'success' | 'denied' | 'failed';
  readonly errorCode?: string;
  /** ATT&CK ids. */
  readonly technique: readonly string[];
  readonly tactic: readonly string[];
  /** What it means, in plain words. */
  readonly says: string;
}

/** Something the actors made, and whether it lives on. */
export interface CreatedThing {
  readonly id: string;
  readonly kind: NodeKind;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly region: string;
  readonly accountId: string;
  /** `alive` and `gone` are read from AWS or seen in the log; `unknown` says why it was not looked at. */
  readonly state: 'alive' | 'gone' | 'unknown';
  readonly because: string;
}

/** Another user of an address that the actors used. */
export interface Neighbour {
  readonly ip: string;
  /** The principal; all sessions of a role together, by the role's ARN. */
  readonly principal: string;
  readonly events: number;
  /** How much it acts like the actors: 0 to 1. No verdict; it says whom to look at first. */
  readonly likeness: number;
  /** What is alike, in words. */
  readonly because: string;
  readonly followed: boolean;
}

export interface PivotAnswer {
  readonly seed: Artifact;
  readonly nodes: readonly PivotNode[];
  readonly edges: readonly PivotEdge[];
  /** Distinct records in the graph. */
  readonly events: number;
  readonly coverage: Coverage;
  readonly findings: readonly Sighting[];
  readonly created: readonly CreatedThing[];
  /** For each address, the most alike first; at most 50 per address. */
  readonly neighbours: readonly Neighbour[];
  /** Whom the operator's own sign-in logs put behind the addresses; empty where the config names none. */
  readonly people: readonly PersonLine[];
  /** One sentence. */
  readonly headline: string;
  /** What the artifact was taken for, in words. */
  readonly takenFor: string;
}
