/** Makes the in-memory test of a rule's tree. The tree decides what a rule means; this only makes it fast. */
import { networkMatcher } from './cidr.ts';
import { anyLeaf, anyValue, type FieldPath, fieldPath, isPresent, textOf, textsOf } from './fields.ts';
import { foldedMatcher, literalOf, lowerCase, patternMatcher } from './pattern.ts';
import { regexMatcher } from './regex.ts';
import type { Node, Test } from './tree.ts';

export type Json = Readonly<Record<string, unknown>>;
export type Matcher = (record: Json) => boolean;

/** The test of one tree. Never throws, whatever the record holds. */
export function matcherOf(node: Node): Matcher {
  switch (node.kind) {
    case 'and': {
      const parts = byCost(node.of).map(matcherOf);
      return (record) => {
        for (const part of parts) if (!part(record)) return false;
        return true;
      };
    }
    case 'or': {
      const parts = withSets(node.of);
      return (record) => {
        for (const part of parts) if (part(record)) return true;
        return false;
      };
    }
    case 'not': {
      const part = matcherOf(node.of);
      return (record) => !part(record);
    }
    case 'null': {
      const path = fieldPath(node.field);
      return (record) => !isPresent(record, path);
    }
    case 'exists': {
      const path = fieldPath(node.field);
      return (record) => isPresent(record, path) === node.expected;
    }
    case 'keyword': {
      const test = textTest(node.test);
      return (record) => anyLeaf(record, test);
    }
    case 'field':
      return fieldMatcher(fieldPath(node.field), node.test);
  }
}

function fieldMatcher(path: FieldPath, test: Test): Matcher {
  if (test.kind === 'field') return referenceMatcher(path, test);
  const passes = textTest(test);
  const probe = (value: unknown): boolean => {
    const text = textOf(value);
    return text !== undefined && passes(text);
  };
  return (record) => anyValue(record, path, probe);
}

function textTest(test: Test): (text: string) => boolean {
  switch (test.kind) {
    case 'text':
      return patternMatcher(test.pattern, test.cased);
    case 'regex':
      return regexMatcher(test.source, test.flags);
    case 'cidr':
      return networkMatcher(test.network);
    case 'compare':
      return comparison(test);
    case 'field':
      return () => false;
  }
}

function comparison({ sign, number }: Test & { readonly kind: 'compare' }): (text: string) => boolean {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (sign === 'lt') return value < number;
    if (sign === 'lte') return value <= number;
    return sign === 'gt' ? value > number : value >= number;
  };
}

function referenceMatcher(path: FieldPath, test: Test & { readonly kind: 'field' }): Matcher {
  const other = fieldPath(test.field);
  const fold = (text: string): string => (test.cased ? text : text.toLowerCase());
  return (record) => {
    const wanted = textsOf(record, other).map(fold);
    if (wanted.length === 0) return false;
    return anyValue(record, path, (value) => {
      const raw = textOf(value);
      if (raw === undefined) return false;
      const text = fold(raw);
      return wanted.some((part) => {
        if (test.where === 'whole') return text === part;
        if (test.where === 'contains') return text.includes(part);
        return test.where === 'start' ? text.startsWith(part) : text.endsWith(part);
      });
    });
  };
}

/** Plain values first: they fail fast. The order of an `and` does not change its answer. */
function byCost(nodes: readonly Node[]): readonly Node[] {
  const cost = (node: Node): number => {
    if (node.kind === 'field') return node.test.kind === 'text' ? 0 : 2;
    return node.kind === 'null' || node.kind === 'exists' ? 1 : 3;
  };
  return [...nodes].sort((a, b) => cost(a) - cost(b));
}

/** Tests of one field that do not care for case share one look at it: plain values become one look-up. */
function withSets(nodes: readonly Node[]): readonly Matcher[] {
  const byField = new Map<string, { readonly values: Set<string>; readonly tests: ((folded: string) => boolean)[] }>();
  const others: Node[] = [];
  for (const node of nodes) {
    if (node.kind !== 'field' || node.test.kind !== 'text' || node.test.cased) {
      others.push(node);
      continue;
    }
    const own = byField.get(node.field) ?? { values: new Set<string>(), tests: [] };
    byField.set(node.field, own);
    const literal = literalOf(node.test.pattern);
    if (literal === undefined) own.tests.push(foldedMatcher(lowerCase(node.test.pattern)));
    else own.values.add(literal.toLowerCase());
  }
  const lookups = [...byField].map(([field, { values, tests }]): Matcher => {
    const path = fieldPath(field);
    const probe = (value: unknown): boolean => {
      const text = textOf(value)?.toLowerCase();
      if (text === undefined) return false;
      if (values.has(text)) return true;
      for (const test of tests) if (test(text)) return true;
      return false;
    };
    return (record) => anyValue(record, path, probe);
  });
  return [...lookups, ...others.map(matcherOf)];
}

/**
 * What is left of the tree when some fields of a record are known: true or false where they decide, else the smaller tree
 * that asks the rest, or the very same one where they say nothing. Done once per event name instead of once per event.
 */
export function specialised(node: Node, known: ReadonlySet<string>, record: Json): Node | boolean {
  switch (node.kind) {
    case 'and':
    case 'or': {
      const decisive = node.kind === 'or';
      const left: Node[] = [];
      for (const part of node.of) {
        const one = specialised(part, known, record);
        if (one === decisive) return decisive;
        if (typeof one !== 'boolean') left.push(one);
      }
      const [only] = left;
      if (only === undefined) return !decisive;
      if (left.length === 1) return only;
      return left.length === node.of.length && left.every((part, at) => part === node.of[at])
        ? node
        : { kind: node.kind, of: left };
    }
    case 'not': {
      const part = specialised(node.of, known, record);
      if (typeof part === 'boolean') return !part;
      return part === node.of ? node : { kind: 'not', of: part };
    }
    case 'keyword':
      return node;
    default: {
      const isKnown = known.has(node.field) && !(node.kind === 'field' && node.test.kind === 'field');
      return isKnown ? matcherOf(node)(record) : node;
    }
  }
}
