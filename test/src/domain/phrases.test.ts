import { describe, expect, it } from 'vitest';
import { span } from '../../../src/domain/phrases.ts';

describe('the time from the first to the last', () => {
  it('is one time where both fall into one minute', () => {
    expect(span('2026-11-20T01:50:03Z', '2026-11-20T01:50:59Z')).toBe('2026-11-20 01:50 UTC');
    expect(span('2026-11-20T01:50:59Z', '2026-11-20T01:51:00Z')).toBe('2026-11-20 01:50 UTC to 2026-11-20 01:51 UTC');
  });
});
