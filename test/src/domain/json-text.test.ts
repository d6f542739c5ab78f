import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../../src/domain/json-text.ts';

describe('JSON for people', () => {
  it('is the same value, and holds nothing that a terminal or a viewer acts on', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        'a',
        '"',
        '\\',
        '\u001b',
        '\u009b',
        '\u202e',
        '\u2066',
        '\u200b',
        '\ufeff',
        '\u{e0041}',
        '\u{1f600}',
        '\ud800',
      ),
    });
    fc.assert(
      fc.property(fc.dictionary(hostile, hostile), (value) => {
        const text = jsonText(value);

        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});
