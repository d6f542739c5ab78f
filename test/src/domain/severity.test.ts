import { describe, expect, it } from 'vitest';
import { severityLabel, severityRank, severityWord } from '../../../src/domain/severity.ts';

describe('the severity of a finding', () => {
  it.each([
    [1, 'low', 'Low 1.0'],
    [3.9, 'low', 'Low 3.9'],
    [4, 'medium', 'Medium 4.0'],
    [6.9, 'medium', 'Medium 6.9'],
    [7, 'high', 'High 7.0'],
    [8.9, 'high', 'High 8.9'],
    [9, 'critical', 'Critical 9.0'],
    [10, 'critical', 'Critical 10.0'],
    [12, 'critical', 'Critical 12.0'],
    [0.5, 'low', 'Low 0.5'],
  ])('%d is %s', (severity, word, label) => {
    expect(severityWord(severity)).toBe(word);
    expect(severityLabel(severity)).toBe(label);
  });

  it('counts as high where there is none, so that nobody overlooks the finding', () => {
    for (const none of [0, -1, Number.NaN]) {
      expect(severityWord(none)).toBe('high');
      expect(severityLabel(none)).toBe('High (no severity given)');
    }
  });

  it('ranks from low to critical', () => {
    expect([2, 5, 8, 9.5].map(severityRank)).toEqual([0, 1, 2, 3]);
  });
});
