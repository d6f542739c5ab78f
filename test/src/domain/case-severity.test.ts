import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { privileges } from '../../../src/contracts/investigation.ts';
import { type CaseSeverityInput, caseSeverity } from '../../../src/domain/case-severity.ts';
import { severityRank } from '../../../src/domain/severity.ts';

const unknown: CaseSeverityInput = {
  findingSeverity: 5,
  environment: undefined,
  dataClass: undefined,
  privilege: undefined,
  did: undefined,
};
const did = (weight: 0 | 1 | 2 | 3 | 4 | 5, complete = true) => ({
  says: weight === 0 ? '' : 'launched instances',
  weight,
  eventIds: [],
  complete,
});

describe('the severity of a case', () => {
  it('is the finding where nothing else is known, and says what is not known', () => {
    expect(caseSeverity(unknown)).toMatchObject({
      score: 5,
      line: 'Medium 5.0 = finding medium 5.0 × environment unknown × data class unknown × rights unknown × deeds not looked at',
    });
  });

  it('rises with production, sensitive data, rights and deeds, and names each', () => {
    expect(
      caseSeverity({
        findingSeverity: 4,
        environment: 'production',
        dataClass: ['PII'],
        privilege: 'admin',
        did: did(4),
      }),
    ).toMatchObject({
      word: 'high',
      line: 'High 8.3 = finding medium 4.0 × production × data PII × administrator × launched instances',
    });
  });

  it('of a critical finding never falls below high, however quiet the place', () => {
    expect(
      caseSeverity({ findingSeverity: 9, environment: 'sandbox', dataClass: ['none'], privilege: 'none', did: did(0) })
        .word,
    ).toBe('high');
  });

  it('does not take "nothing seen" for calm where only a part was looked at', () => {
    expect(caseSeverity({ ...unknown, did: did(0, false) })).toMatchObject({
      score: 5,
      line: expect.stringContaining('nothing telling seen in what was looked at'),
    });
    expect(caseSeverity({ ...unknown, did: did(0) }).score).toBe(4.5);
  });

  it('keeps within the scale, never falls more than a step, and never rises by knowing less', () => {
    const input = fc.record({
      findingSeverity: fc.double({ min: 0, max: 12, noNaN: true }),
      environment: fc.option(fc.oneof(fc.constantFrom('prod', 'dev', 'sandbox'), fc.string()), { nil: undefined }),
      dataClass: fc.option(fc.array(fc.oneof(fc.constantFrom('PII', 'none'), fc.string()), { maxLength: 3 }), {
        nil: undefined,
      }),
      privilege: fc.option(fc.constantFrom(...privileges), { nil: undefined }),
      did: fc.option(fc.constantFrom(did(0), did(0, false), did(3), did(5)), { nil: undefined }),
    });
    fc.assert(
      fc.property(input, (one) => {
        const { score, line } = caseSeverity(one);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(10);
        expect(severityRank(score)).toBeGreaterThanOrEqual(severityRank(one.findingSeverity) - 1);
        expect(line).not.toMatch(/[\n\r]/);
        const lessKnown = caseSeverity({ ...one, did: undefined });
        if (one.did && one.did.weight >= 3) expect(score).toBeGreaterThanOrEqual(lessKnown.score);
      }),
    );
  });
});
