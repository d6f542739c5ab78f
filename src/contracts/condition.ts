/** A condition over one record, as data: what rules are compiled to, and what a source of records may be asked to heed. */

import type { CloudTrailRecord } from './cloudtrail.ts';

/** A wildcard pattern: literal text, `*` (any text) and `?` (one character). */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' };
export type Pattern = readonly Piece[];

/** What is asked of one value of a field. */
export type Test =
  | { readonly kind: 'text'; readonly pattern: Pattern; readonly cased: boolean }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string }
  | { readonly kind: 'cidr'; readonly network: string }
  | { readonly kind: 'compare'; readonly sign: 'lt' | 'lte' | 'gt' | 'gte'; readonly number: number }
  | {
      readonly kind: 'field';
      readonly field: string;
      readonly where: 'whole' | 'contains' | 'start' | 'end';
      readonly cased: boolean;
    };

/** `null` and `exists` are about the field, all others hold when they hold for any of its values. */
export type Node =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
  | { readonly kind: 'field'; readonly field: string; readonly test: Test }
  | { readonly kind: 'null'; readonly field: string }
  | { readonly kind: 'exists'; readonly field: string; readonly expected: boolean }
  | { readonly kind: 'keyword'; readonly test: Test };

/** A condition whose answer may stand for the record. */
export interface Ask {
  readonly where: Node;
  /** Fields of the top level that are read where the answer is yes. */
  readonly fields: readonly string[];
}

/** What is wanted of the events of one name. */
export interface Wanted {
  /** Fields of the top level that will be read, beside those that say who did what, when, where and how it ended. */
  readonly fields: readonly string[] | 'all';
  /** Records for which this is false are not wanted; undefined: all of that name are. */
  readonly where: Node | undefined;
  /** All that the reader would ask of a record, where answers are enough for it; at most `maxAsks`. */
  readonly asks?: readonly Ask[];
  /** Fields of the top level that it reads beside the answers. */
  readonly kept?: readonly string[];
}

/** Answers are bits of one number. */
export const maxAsks = 30;

/**
 * Takes a record of which a source knows all answers, instead of the record as a whole: bit n of `yes` is the answer to ask n. The record
 * holds who did what, when, where and how it ended, what is `kept`, and the fields of the asks that were answered with yes.
 */
export type Told = (record: CloudTrailRecord, yes: number) => void;

/**
 * Tells a source what its reader needs, so that it may leave out all else. A source may heed it or hand over everything: the
 * reader looks at each record itself.
 */
export type Narrowing = (eventSource: string, eventName: string) => Wanted | undefined;
