/** Forgeries and long outages show in an alert's age (DOMAIN.md 9.4). */
import type { Alert } from '../contracts/alert.ts';

const lateAfterMs = 24 * 60 * 60 * 1000;

/** Adds a note to an alert that came in long after it was last updated; it is stored all the same. */
export function withAgeNote(alert: Alert, now: Date): Alert {
  if (now.getTime() - Date.parse(alert.updatedAt) <= lateAfterMs) return alert;
  return { ...alert, notes: [...alert.notes, 'it came in more than 24 hours after its last update'] };
}

const skewMs = 5 * 60 * 1000;

/** A version that claims to be of the future would make every later one an older one, which is not told: it is of now. */
export function notAhead(alert: Alert, now: Date): Alert {
  if (!(Date.parse(alert.updatedAt) > now.getTime() + skewMs)) return alert;
  const notes = [...alert.notes, `it is dated ${alert.updatedAt}, which is to come`];
  return { ...alert, updatedAt: now.toISOString(), notes };
}
