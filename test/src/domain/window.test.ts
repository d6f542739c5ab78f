import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/contracts/errors.ts';
import { over90Days, parseDuration, parseTime, parseWindow } from '../../../src/domain/window.ts';

const now = new Date('2026-11-20T22:00:00Z');

describe('parseTime', () => {
  it.each([
    ['7d', '2026-11-13T22:00:00Z'],
    ['24h', '2026-11-19T22:00:00Z'],
    ['90m', '2026-11-20T20:30:00Z'],
    ['2w', '2026-11-06T22:00:00Z'],
    ['now', '2026-11-20T22:00:00Z'],
    ['2026-11-20', '2026-11-20T00:00:00Z'],
    ['2026-11-20T22:00', '2026-11-20T22:00:00Z'],
    ['2026-11-20 21:30:05', '2026-11-20T21:30:05Z'],
    ['2026-11-20T21:30:05.250Z', '2026-11-20T21:30:05.250Z'],
    ['2026-11-20T23:00:00+01:00', '2026-11-20T22:00:00Z'],
  ])('reads %s as %s', (text, expected) => {
    expect(parseTime(text, now)).toBe(expected);
  });

  it.each(['', '7', '7y', '0d', '-7d', '2026-02-30', '2026-13-01', '2026-11-20T25:00', 'yesterday', '99999999d', '١d'])(
    'refuses %j with what is accepted',
    (text) => {
      expect(() => parseTime(text, now)).toThrow(UserError);
    },
  );

  it('never throws anything but UserError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9TZ:.+-]{1,30}$/)), (text) => {
        try {
          return !Number.isNaN(Date.parse(parseTime(text, now)));
        } catch (error) {
          return error instanceof UserError;
        }
      }),
    );
  });
});

describe('parseWindow', () => {
  it('leaves a bound open that was not typed', () => {
    expect(parseWindow({}, now)).toEqual({});
    expect(parseWindow({ since: '1d' }, now)).toEqual({ from: '2026-11-19T22:00:00Z' });
    expect(parseWindow({ until: '2026-11-01' }, now)).toEqual({ to: '2026-11-01T00:00:00Z' });
  });

  it('refuses a start after the end, an empty window and a start in the future', () => {
    expect(() => parseWindow({ since: '1d', until: '2d' }, now)).toThrow(/empty/);
    expect(() => parseWindow({ since: '2026-11-19', until: '2026-11-19' }, now)).toThrow(/empty/);
    expect(() => parseWindow({ since: '2026-12-01' }, now)).toThrow(/future/);
  });
});

describe('parseDuration', () => {
  it('gives milliseconds', () => {
    expect(parseDuration('90m')).toBe(5_400_000);
  });
});

describe('over90Days', () => {
  it.each([
    ['2026-11-13T22:00:00Z', ['/ir pivot i-1 --since 90d']],
    ['', ['/ir pivot i-1 --since 90d']],
    ['2026-08-22T22:00:00Z', []],
    ['2020-01-01T00:00:00Z', []],
  ])('after looking from %j on suggests %j', (from, next) => {
    expect(over90Days('/ir pivot i-1', from, now)).toEqual(next);
  });
});
