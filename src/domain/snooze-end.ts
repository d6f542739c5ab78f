/** When a snooze ends: typed, or chosen in the dialog of the button. Times are ISO 8601 UTC. Pure. */
import { UserError } from '../contracts/errors.ts';
import { parseDuration, parseTime } from './window.ts';

const longestMs = 90 * 24 * 60 * 60 * 1_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const usualHours = [1, 8, 24, 168] as const;

/** What the dialog offers, in hours, the config's own choice among them. */
export function snoozeHoursOffered(configured: number): readonly number[] {
  return [...new Set([...usualHours, configured])].sort((a, b) => a - b);
}

/** `8 hours`, `7 days`. */
export function hoursWords(hours: number): string {
  if (hours > 24 && hours % 24 === 0) return `${hours / 24} days`;
  return hours === 1 ? '1 hour' : `${hours} hours`;
}

/** The end of `--until`: a span from now, a day (its first second) or a time. Throws UserError. */
export function typedEnd(until: string, now: Date, how: string): string {
  const end = /^\d+\s?[a-z]$/i.test(until.trim())
    ? new Date(now.getTime() + parseDuration(until)).toISOString()
    : parseTime(until, now);
  return checkedEnd(end, now, how);
}

/** The end that was chosen: a day, to its last second, wins over hours. Throws UserError. */
export function chosenEnd(chosen: { readonly hours?: number; readonly day?: string }, now: Date): string {
  const { hours, day } = chosen;
  if (day !== undefined) {
    const end = new Date(Date.parse(parseTime(day, now)) + dayMs).toISOString();
    return checkedEnd(end, now, undefined);
  }
  if (hours === undefined) throw new UserError('Choose for how long, or a day.');
  return checkedEnd(new Date(now.getTime() + hours * hourMs).toISOString(), now, undefined);
}

function checkedEnd(end: string, now: Date, how: string | undefined): string {
  const ms = Date.parse(end) - now.getTime();
  if (!(ms > 0) || ms > longestMs) throw new UserError('The end lies in the past, or more than 90 days away.', how);
  return end;
}
