import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { regexMatcher } from '../../../../src/domain/sigma/regex.ts';

/** Expressions of the part that is supported, over few letters so that they match often. */
const expression: fc.Arbitrary<string> = fc
  .letrec<{ choice: string; sequence: string; piece: string }>((tie) => ({
    choice: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
    sequence: fc.array(tie('piece'), { maxLength: 4 }).map((parts) => parts.join('')),
    piece: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'regex' },
      fc
        .tuple(
          fc.constantFrom(
            'a',
            'b',
            '0',
            '-',
            '\\.',
            '.',
            '[ab]',
            '[^a]',
            '[0-9a]',
            '\\d',
            '\\w',
            '\\s',
            '\\W',
            '_',
            '\\n',
          ),
          fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '*?', '{1,}'),
        )
        .map((parts) => parts.join('')),
      fc.constantFrom('^', '$', '\\b', '\\B'),
      fc.tuple(tie('choice'), fc.constantFrom('', '?', '+', '*')).map(([inner, times]) => `(${inner})${times}`),
      tie('choice').map((inner) => `(?:${inner})`),
    ),
  }))
  .choice.filter((source) => source.length <= 40);
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '0', '-', '.', '_', ' ', '\n'), maxLength: 12 });

describe('a regular expression', () => {
  it.each(['', 'i', 'm', 's', 'im'])('means what it means in JavaScript, with the flags "%s"', (flags) => {
    fc.assert(
      fc.property(expression, text, (source, value) => {
        expect(regexMatcher(source, flags)(value)).toBe(new RegExp(source, flags).test(value));
      }),
      { numRuns: 800 },
    );
  });

  it.each(['(a+)+$', '(a|a)*b', '(.*)*x', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a?){50}a{50}'])(
    'takes time linear in the text, also where others hang: %s',
    (source) => {
      const matches = regexMatcher(source, '');

      const before = performance.now();
      matches('a'.repeat(100_000));

      expect(performance.now() - before).toBeLessThan(5_000);
    },
  );

  it.each([
    ['(?=a)', 'look-around'],
    ['(?<!a)b', 'look-around'],
    ['(a)\\1', 'not supported'],
    ['a{1,1000}', 'repetition'],
    ['((((((((((a{100}){100}){100}){100}))))))', 'unmatched|too large'],
    ['(((a{100}){100}){100})', 'too large'],
    ['[a', 'unmatched'],
    ['a)', 'unmatched'],
    ['*a', 'repeats nothing'],
    ['a++', 'possessive|repeats'],
    ['\\p{L}', 'not supported'],
    ['a'.repeat(1_001), 'longer'],
    ['('.repeat(60) + ')'.repeat(60), 'deeply'],
  ])('is refused where it could not be bounded or would mean something else: %s', (source, reason) => {
    expect(() => regexMatcher(source, '')).toThrow(new RegExp(reason));
  });

  it('stays right when more states come up than are remembered', () => {
    const matches = regexMatcher('(a|b)*a(a|b){12}0', '');
    const random = fc.sample(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 400, maxLength: 400 }), 40);

    for (const value of random) {
      expect(matches(value)).toBe(false);
      expect(matches(`${value}a${'b'.repeat(12)}0`)).toBe(true);
    }
  });
});
