/** Words people type for time: `7d`, `24h`, `90m`, `2026-11-20`, `2026-11-20T22:00`. All in UTC. */
import { UserError } from '../contracts/errors.ts';

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const accepted =
  'Use a span back from now (90m, 24h, 7d, 2w), a day (2026-11-20) or a time in UTC (2026-11-20T22:00:00Z).';

/**
 * Milliseconds of `90m`, `24h`, `7d`, `2w`. Throws UserError for anything else, for zero and for more than ten years.
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})\s?([mhdw])$/i.exec(text.trim());
  const ms = Number(match?.[1]) * (unitMs[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!(ms > 0 && ms <= 3660 * 86_400_000)) throw new UserError(`"${shown(text)}" is not a span of time.`, accepted);
  return ms;
}

/** True for what `parseDuration` takes. */
export function isSpan(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

const day = /^\d{4}-\d\d-\d\d$/;
const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,3})?\s?(Z|UTC|[+-]\d\d:\d\d)?$/i;

/**
 * A point in time as ISO 8601 UTC: a span back from `now`, a day (its first second), a time (UTC unless it names an offset),
 * or `now`. Throws UserError, with what is accepted.
 */
export function parseTime(text: string, now: Date): string {
  const typed = text.trim();
  if (typed.toLowerCase() === 'now') return isoOf(now.getTime());
  if (/^\d{1,6}\s?[a-z]$/i.test(typed)) return isoOf(now.getTime() - parseDuration(typed));
  if (day.test(typed)) return checked(`${typed}T00:00:00Z`, typed);
  const match = time.exec(typed);
  if (!match) throw new UserError(`"${shown(text)}" is not a time.`, accepted);
  const zone = match[5] === undefined || /^(z|utc)$/i.test(match[5]) ? 'Z' : match[5];
  return checked(`${match[1]}T${match[2]}${match[3] ?? ':00'}${match[4] ?? ''}${zone}`, typed);
}

/** `2026-02-31` parses in JavaScript, as the third of March. */
function checked(candidate: string, typed: string): string {
  const epochMs = Date.parse(candidate);
  const date = Date.parse(`${candidate.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(epochMs) || Number.isNaN(date) || !new Date(date).toISOString().startsWith(candidate.slice(0, 10))) {
    throw new UserError(`"${shown(typed)}" is not a day of the calendar or not a time of day.`, accepted);
  }
  return isoOf(epochMs);
}

/** As CloudTrail writes times: ISO 8601 UTC, milliseconds only where they are not zero. Throws RangeError for what is no time. */
export function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}

const dayMs = 86_400_000;

/**
 * The command over 90 days, as far back as CloudTrail's event history goes; nothing where as much was looked at already.
 * @param from where what was looked at begins, ISO 8601 UTC; "" where nothing was
 */
export function over90Days(command: string, from: string, now: Date): readonly string[] {
  const isShorter = from === '' || Date.parse(from) > now.getTime() - 89 * dayMs;
  return isShorter ? [`${command} --since 90d`] : [];
}

/** Echoes typed text, cut: it may be anything. */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 40);
}

/**
 * `--since` and `--until` as a half-open window, from <= eventTime < to. A bound that was not typed is absent. Throws UserError
 * where a bound is no time, lies in the future (since) or the window is empty.
 */
export function parseWindow(
  words: { readonly since?: string | undefined; readonly until?: string | undefined },
  now: Date,
): { readonly from?: string; readonly to?: string } {
  const from = words.since === undefined ? undefined : parseTime(words.since, now);
  const to = words.until === undefined ? undefined : parseTime(words.until, now);
  if (from !== undefined && Date.parse(from) > now.getTime()) {
    throw new UserError(`--since ${from} lies in the future.`, `It is ${isoOf(now.getTime())} now (UTC).`);
  }
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    throw new UserError(
      `The window is empty: --since ${from} is not before --until ${to}.`,
      'The end is not part of the window; a day means its first second (UTC).',
    );
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
