import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonItems } from '../../../src/evidence/json-items.ts';

function cut(text: string, chunkSize = Number.POSITIVE_INFINITY) {
  const seen = { items: [] as unknown[], broken: [] as string[], faults: [] as string[], containers: 0 };
  const items = new JsonItems({
    item(bytes) {
      try {
        seen.items.push(JSON.parse(bytes.toString()));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        seen.broken.push(bytes.toString());
      }
    },
    broken: (bytes) => seen.broken.push(bytes.toString()),
    fault: (reason) => seen.faults.push(reason),
    container: () => {
      seen.containers += 1;
    },
  });
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += chunkSize) items.push(bytes.subarray(i, i + chunkSize));
  items.end();
  return seen;
}

describe('JsonItems', () => {
  it.each([
    ['NDJSON', '{"a":1}\n{"a":2}\r\n\n{"a":3}'],
    ['concatenated objects', '{"a":1}{"a":2} {"a":3}'],
    ['an array', '[{"a":1},{"a":2},{"a":3}]'],
    ['nested arrays', '[[{"a":1}],[{"a":2},[{"a":3}]]]'],
    ['Records', '{"Records":[{"a":1},{"a":2},{"a":3}]}'],
    ['Records with company', '{"x":[1,{"y":"]}"}],"Records" :\n[{"a":1},{"a":2},{"a":3}],"z":{"Records":[9]}}'],
    ['NDJSON of Records', '{"Records":[{"a":1}]}\n{"Records":[]}\n{"Records":[{"a":2},{"a":3}]}'],
    ['pages in an array', '[{"NextToken":"t","Events":[{"a":1},{"a":2}]},{"Events":[{"a":3}],"NextToken":"t"}]'],
    [
      'time stamps before objects',
      '2026-11-20T22:00:00.000Z {"a":1}\n2026-11-20T22:00:01Z {"a":2}\n1795212000 {"a":3}',
    ],
  ])('cuts %s', (_, text) => {
    for (const chunkSize of [1, 2, 7, 1000]) {
      expect(cut(text, chunkSize)).toMatchObject({ items: [{ a: 1 }, { a: 2 }, { a: 3 }], broken: [], faults: [] });
    }
  });

  it('gives strings as items, since they may hold JSON', () => {
    expect(cut('["{\\"a\\":1}", null, 5, true]').items).toEqual(['{"a":1}']);
  });

  it.each([
    ['a line cut in a string', '{"a":1}\n{"b":"cut\n{"a":2}\n'],
    ['a line cut after a value', '{"a":1}\n{"b":[1,2\n{"a":2}\n'],
    ['a line cut after a comma', '{"a":1}\n{"b":1,\n{"a":2}\n'],
    ['a line that is no JSON', '{"a":1}\nERROR: disk full {"x":\n{"a":2}\n'],
    ['a bracket too many', '{"a":1}]\n{"a":2}\n'],
    ['a comma too many', '{"a":1}\n{"b":1,}\n{"a":2}'],
  ])('loses only the broken value after %s', (_, text) => {
    for (const chunkSize of [1, 3, 1000]) {
      const seen = cut(text, chunkSize);
      expect(seen.items).toEqual([{ a: 1 }, { a: 2 }]);
      expect(seen.broken.length + seen.faults.length).toBeGreaterThan(0);
    }
  });

  it('says when the text ends in the middle', () => {
    expect(cut('{"Records":[{"a":1},{"a":2')).toMatchObject({
      items: [{ a: 1 }],
      faults: ['ends in the middle of a value (line 1)'],
    });
    expect(cut('{"Records":[{"a":1}')).toMatchObject({
      items: [{ a: 1 }],
      faults: ['ends in the middle of a value (line 1)'],
    });
  });

  it('recognises a page of HTML', () => {
    expect(cut('<!DOCTYPE html>\n<html></html>').faults[0]).toBe('an HTML or XML page, not JSON');
  });

  it('finds the same values whatever the chunks and the white space', () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 4 });
    const unlike = value.filter(
      (one) => !['Records', 'records', 'Events', 'events', 'logEvents'].some((key) => Array.isArray(one[key])),
    );
    fc.assert(
      fc.property(
        fc.array(unlike, { maxLength: 8 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 64 }),
        (values, style, chunkSize) => {
          const pretty = values.map((one) => JSON.stringify(one, null, 2));
          const text = [
            values.map((one) => JSON.stringify(one)).join('\n'),
            JSON.stringify({ Records: values }, null, 1),
            pretty.join(''),
            JSON.stringify(values),
          ][style] as string;
          const seen = cut(text, chunkSize);
          expect(seen.items).toEqual(JSON.parse(JSON.stringify(values)));
          expect(seen.faults).toEqual([]);
        },
      ),
    );
  });

  it('never throws, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '\n',
      ' ',
      'a',
      '1',
      '{"Records":[',
      '{"a":1}',
      '\u0000',
      '€',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (parts, chunkSize) => {
        const whole = cut(parts.join(''));
        expect(cut(parts.join(''), chunkSize)).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });
});
