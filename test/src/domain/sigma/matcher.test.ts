import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, matcherOf, specialised } from '../../../../src/domain/sigma/matcher.ts';
import { parsePattern } from '../../../../src/domain/sigma/pattern.ts';
import { ruleSet } from '../../../../src/domain/sigma/rule-set.ts';
import type { EventRule, Node, Pattern, Test } from '../../../../src/domain/sigma/tree.ts';

/** The same meaning, written as plainly as can be. */
function means(node: Node, record: unknown): boolean {
  switch (node.kind) {
    case 'and':
      return node.of.every((part) => means(part, record));
    case 'or':
      return node.of.some((part) => means(part, record));
    case 'not':
      return !means(node.of, record);
    case 'null':
      return plainValues(record, node.field.split('.')).length === 0;
    case 'exists':
      return plainValues(record, node.field.split('.')).length > 0 === node.expected;
    case 'keyword':
      return leaves(record).some((value) => passes(node.test, String(value), record));
    case 'field':
      return plainValues(record, node.field.split('.')).some((value) => passes(node.test, asText(value), record));
  }
}

function plainValues(value: unknown, path: readonly string[]): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => plainValues(item, path));
  const [first, ...rest] = path;
  if (first === undefined) return [value];
  if (typeof value !== 'object') return [];
  const own = Object.entries(value).find(([key]) => key === first);
  return own ? plainValues(own[1], rest) : [];
}

function leaves(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'object' ? Object.values(value).flatMap(leaves) : [value];
}

function asText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function passes(test: Test, text: string, record: unknown): boolean {
  switch (test.kind) {
    case 'text':
      return new RegExp(`^${regexOf(test.pattern)}$`, test.cased ? 's' : 'is').test(text);
    case 'compare': {
      const number = Number(text);
      if (text.trim() === '' || Number.isNaN(number)) return false;
      return {
        lt: number < test.number,
        lte: number <= test.number,
        gt: number > test.number,
        gte: number >= test.number,
      }[test.sign];
    }
    case 'field': {
      const fold = (one: string): string => (test.cased ? one : one.toLowerCase());
      return plainValues(record, test.field.split('.')).some((other) => {
        const [whole, part] = [fold(text), fold(asText(other))];
        return {
          whole: whole === part,
          contains: whole.includes(part),
          start: whole.startsWith(part),
          end: whole.endsWith(part),
        }[test.where];
      });
    }
    default:
      throw new RangeError(`the reference does not know ${test.kind}`);
  }
}

function regexOf(pattern: Pattern): string {
  return pattern
    .map((piece) => (piece.kind === 'any' ? '.*' : piece.kind === 'one' ? '.' : piece.text.replace(/[^\w]/g, '\\$&')))
    .join('');
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '1', '.'), maxLength: 4 });
const field = fc.constantFrom('eventName', 'eventSource', 'x', 'x.y', 'x.y.z', 'list', 'list.y', 'gone');
const test: fc.Arbitrary<Test> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('text'), cased: fc.boolean(), pattern: pattern() }) },
  fc.record({
    kind: fc.constant('compare'),
    sign: fc.constantFrom('lt', 'lte', 'gt', 'gte'),
    number: fc.constantFrom(0, 1, 11),
  }),
  fc.record({
    kind: fc.constant('field'),
    field,
    where: fc.constantFrom('whole', 'contains', 'start', 'end'),
    cased: fc.boolean(),
  }),
) as fc.Arbitrary<Test>;

function pattern(): fc.Arbitrary<Pattern> {
  return fc.string({ unit: fc.constantFrom('a', 'b', 'A', '1', '*', '?', '\\'), maxLength: 6 }).map(parsePattern);
}

const node: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'node' },
    fc.record({ kind: fc.constant('field'), field, test }) as fc.Arbitrary<Node>,
    fc.record({ kind: fc.constant('null'), field }) as fc.Arbitrary<Node>,
    fc.record({ kind: fc.constant('exists'), field, expected: fc.boolean() }) as fc.Arbitrary<Node>,
    fc.record({
      kind: fc.constant('keyword'),
      test: fc.record({ kind: fc.constant('text'), cased: fc.boolean(), pattern: pattern() }),
    }) as fc.Arbitrary<Node>,
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      of: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
    }) as fc.Arbitrary<Node>,
    fc.record({ kind: fc.constant('not'), of: tie('node') }) as fc.Arbitrary<Node>,
  ),
})).node;

const scalar = fc.oneof(word, fc.constantFrom(0, 1, 11, true, false, null));
const inner = fc.oneof(scalar, fc.record({ z: scalar }), fc.array(scalar, { maxLength: 3 }));
const record = fc.record(
  {
    eventName: fc.oneof(word, fc.constant('a')),
    eventSource: word,
    x: fc.oneof(scalar, fc.record({ y: inner }, { requiredKeys: [] })),
    list: fc.array(fc.oneof(scalar, fc.record({ y: inner })), { maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Json>;

describe('a matcher', () => {
  it('answers as the plainest evaluation of the same tree does', () => {
    fc.assert(
      fc.property(node, record, (tree, value) => {
        expect(matcherOf(tree)(value)).toBe(means(tree, value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('means the same when the names are known beforehand', () => {
    fc.assert(
      fc.property(node, record, (tree, value) => {
        const left = specialised(tree, new Set(['eventName', 'eventSource']), value);
        expect(typeof left === 'boolean' ? left : matcherOf(left)(value)).toBe(matcherOf(tree)(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('gives the same matches in a set of rules as alone, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 6 }), fc.array(record, { maxLength: 10 }), (trees, values) => {
        const rules = trees.map((tree, at) => ({ kind: 'event', name: `r${at}`, tree }) as unknown as EventRule);
        const set = ruleSet(rules);
        for (const value of values) {
          expect(set.match(value)).toEqual(rules.filter((rule) => matcherOf(rule.tree)(value)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes anything for a record', () => {
    fc.assert(
      fc.property(
        node,
        fc.dictionary(fc.string(), fc.anything({ withNullPrototype: true }), { maxKeys: 5 }),
        (tree, value) => {
          expect(typeof matcherOf(tree)(value)).toBe('boolean');
        },
      ),
    );
  });
});
