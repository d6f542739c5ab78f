/** Forgeries and long outages show in an alert's age (DOMAIN.md 9.4). */
import type { Alert } from '../contracts/alert.ts';

const lateAfterMs = 24 * 60 * 60 * 1000;

/** Adds a note to an alert that came in long after it was last updated; it is stored all the same. */
export function withAgeNote(alert: Alert, now: Date): Alert {
  if (now.getTime() - Date.parse(alert.updatedAt) <= lateAfterMs) return alert;
  return { ...alert, notes: [...alert.notes, 'it came in more than 24 hours after its last update'] };
}
