import { TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import {
  coolDownMs,
  enrollmentUri,
  failuresWithinMs,
  mostFailures,
  newSecret,
  timeStepOf,
} from '../../../src/domain/one-time-code.ts';

/** The secret and the codes of RFC 6238, appendix B (SHA-1; the last six of its eight digits). */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * 1_000);

describe('a one-time code', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ])('is that of the RFC at %d s', (seconds, code) => {
    expect(timeStepOf(code, secret, at(seconds))).toBe(Math.floor(seconds / 30));
  });

  it('counts one step before and after its own, by its own step, and no further', () => {
    const step = 41_152_263;
    const code = '005924';
    const seconds = (offset: number) => at((step + offset) * 30 + 15);

    expect([-2, -1, 0, 1, 2].map((offset) => timeStepOf(code, secret, seconds(offset)))).toEqual([
      undefined,
      step,
      step,
      step,
      undefined,
    ]);
  });

  it('is taken with the spaces that people type, and with nothing else in it', () => {
    const now = at(1_234_567_890);

    expect(timeStepOf(' 005 924 ', secret, now)).toBe(41_152_263);
    for (const wrong of ['', '5924', '0059241', '00592a', 'a005924', '005924a', '005925', '-05924']) {
      expect(timeStepOf(wrong, secret, now), wrong).toBeUndefined();
    }
    expect(timeStepOf('005924', newSecret(), now)).toBeUndefined();
  });
});

describe('an enrollment', () => {
  it('has a secret of its own of 160 bits, which an authenticator app can read', () => {
    const [one, other] = [newSecret(), newSecret()];

    expect(one).toMatch(/^[A-Z2-7]{32}$/);
    expect(one).not.toBe(other);
    const uri = enrollmentUri(one, 'U0OMAR');
    expect(uri).toMatch(/^otpauth:\/\/totp\/Firebreak:U0OMAR\?/);
    expect(uri).toContain(`secret=${one}`);
    expect(uri).toContain('period=30');
    expect(timeStepOf(new TOTP({ secret: one }).generate({ timestamp: 90_000 }), one, new Date(90_000))).toBe(3);
  });

  it('leaves a day to hear of a new one, and five wrong codes in a quarter of an hour', () => {
    expect([coolDownMs, mostFailures, failuresWithinMs]).toEqual([86_400_000, 5, 900_000]);
  });
});
