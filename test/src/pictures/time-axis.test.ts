import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lasting, timeAxis, utcMinute } from '../../../src/pictures/time-axis.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 20, 10);

describe('the time axis', () => {
  it('writes half hours over three hours, the date once', () => {
    const times = Array.from({ length: 10 }, (_, i) => start + (i * 3 * hour) / 9);

    const { ticks, breaks } = timeAxis(times, 1120);

    expect(ticks.map(({ label }) => label)).toEqual(['10:00', '10:30', '11:00', '11:30', '12:00', '12:30', '13:00']);
    expect(ticks.flatMap(({ date }) => date ?? [])).toEqual(['2026-11-20']);
    expect(breaks).toEqual([]);
  });

  it('leaves out two empty weeks and says so', () => {
    const burst = Array.from({ length: 30 }, (_, i) => start + i * 60_000);
    const early = [start - 14 * 24 * hour];

    const axis = timeAxis([...early, ...burst], 1120);

    expect(axis.breaks.map(({ label }) => label)).toEqual(['13 d']);
    expect(axis.x(burst.at(-1) ?? 0) - axis.x(start)).toBeGreaterThan(500);
  });

  it('keeps the order of time, stays on the page and keeps ticks apart, for any times', () => {
    const time = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2100, 0, 1) });
    fc.assert(
      fc.property(fc.array(time, { maxLength: 50 }), (unordered) => {
        const times = unordered.toSorted((a, b) => a - b);

        const axis = timeAxis(times, 1120);

        const xs = times.map(axis.x);
        expect(xs).toEqual(xs.toSorted((a, b) => a - b));
        expect(xs.every((x) => x >= 0 && x <= 1120.01)).toBe(true);
        const ticks = axis.ticks.map(({ x }) => x);
        expect(ticks.slice(1).every((x, i) => x - (ticks[i] ?? 0) >= 140)).toBe(true);
        expect(ticks.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('words for time', () => {
  it('are short and in UTC', () => {
    expect(utcMinute(start)).toBe('2026-11-20 10:00');
    expect([45 * 60_000, 5 * hour, 5.5 * hour, 76 * hour, 400 * hour].map(lasting)).toEqual([
      '45 min',
      '5 h',
      '5 h 30 min',
      '3 d 4 h',
      '16 d',
    ]);
  });
});
