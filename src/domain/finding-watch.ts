/** GuardDuty asked again: the schema of the config's `guardduty` section, and what a finding read back says of an alert. */
import { z } from 'zod';
import type { Alert } from '../contracts/alert.ts';
import type { FoundFinding, Verification } from '../contracts/intake.ts';

export const FindingWatch = z.strictObject({
  /** EventBridge delivers at best effort: so often GuardDuty is asked for what did not come. 0: never. */
  pollMinutes: z.number().int().min(0).max(1_440).default(15),
  /** How far the first look of an installation goes back. */
  firstLookHours: z.number().int().min(1).max(2_160).default(24),
  /** Read each finding again by its id, and mark it on the card. */
  verify: z.boolean().default(true),
  /** GuardDuty's delegated administrator: its detectors hold the findings of all members, which are then not asked one by one. */
  administrator: z
    .string()
    .regex(/^\d{12}$/, 'is not a 12-digit account id')
    .optional(),
});
export type FindingWatchSettings = z.output<typeof FindingWatch>;

/**
 * What GuardDuty's own copy says of a finding that came from outside. A copy that is newer may differ in what changes from
 * update to update; type and place never change.
 */
export function judgeFinding(alert: Alert, found: FoundFinding | undefined): Pick<Verification, 'state' | 'because'> {
  if (found === undefined) {
    return { state: 'unknown', because: 'GuardDuty does not know a finding of this id: it may be forged' };
  }
  const differs = [
    found.type !== alert.type && 'type',
    found.accountId !== alert.accountId && 'account',
    found.region !== alert.region && 'Region',
    found.updatedAt === alert.updatedAt && found.severity !== alert.severity && 'severity',
  ].filter((what) => what !== false);
  if (differs.length > 0) {
    const because = `what came is not what GuardDuty holds: another ${differs.join(', another ')}`;
    return { state: 'differs', because };
  }
  if (Date.parse(found.updatedAt) < Date.parse(alert.updatedAt))
    return { state: 'differs', because: 'GuardDuty holds an older state of it than what came' };
  return { state: 'verified' };
}
