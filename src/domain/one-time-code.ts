/** One-time codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds). */
import { Secret, TOTP } from 'otpauth';

const periodSeconds = 30;
/** Clocks differ: the code before and the one after count as well. */
const window = 1;
/** Wrong codes in a quarter of an hour after which none is looked at any more. */
export const mostFailures = 5;
export const failuresWithinMs = 15 * 60_000;
/** A new secret for somebody who had one counts only after this: time in which the owner of the old one hears of it. */
export const coolDownMs = 24 * 60 * 60_000;

/** A new secret, base32, 160 random bits. */
export function newSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What an authenticator app reads: `otpauth://totp/...`. Holds the secret. */
export function enrollmentUri(secret: string, label: string): string {
  return new TOTP({ issuer: 'Firebreak', label, secret, period: periodSeconds }).toString();
}

/** The time step that the code is of, or undefined where it is none of now. Spaces that people type are no part of it. */
export function timeStepOf(code: string, secret: string, now: Date): number | undefined {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return undefined;
  const totp = new TOTP({ secret, period: periodSeconds });
  const delta = totp.validate({ token, timestamp: now.getTime(), window });
  return delta === null ? undefined : Math.floor(now.getTime() / 1_000 / periodSeconds) + delta;
}
