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
 * What GuardDuty's own copy says of a finding that came from outside; `held` is the alert that the copy makes, undefined where it
 * cannot be read. Whom and what it is about must be the same, else whoever knows the secret of a webhook could send a real
 * finding with a key of his choice to be disabled. A copy that is newer may differ in what changes from update to update: the
 * severity, the session and its temporary key, and resources that came to it.
 */
export function judgeFinding(
  alert: Alert,
  found: FoundFinding | undefined,
  held: Alert | undefined,
): Pick<Verification, 'state' | 'because'> {
  if (found === undefined) {
    return { state: 'unknown', because: 'GuardDuty does not know a finding of this id: it may be forged' };
  }
  const isSameState = found.updatedAt === alert.updatedAt;
  const differs = [
    found.type !== alert.type && 'type',
    found.accountId !== alert.accountId && 'account',
    found.region !== alert.region && 'Region',
    isSameState && found.severity !== alert.severity && 'severity',
    ...(held === undefined ? [] : otherSubjects(alert, held, isSameState)),
  ].filter((what) => what !== false);
  if (differs.length > 0) {
    const because = `what came is not what GuardDuty holds: another ${differs.join(', another ')}`;
    return { state: 'differs', because };
  }
  if (Date.parse(found.updatedAt) < Date.parse(alert.updatedAt))
    return { state: 'differs', because: 'GuardDuty holds an older state of it than what came' };
  if (held === undefined)
    return { state: 'unread', because: 'what GuardDuty holds of it does not say whom and what it is about' };
  return { state: 'verified' };
}

/** All that a plan or a pivot may begin with. Of a newer copy the alert's may be a part, and sessions count by their role. */
function otherSubjects(alert: Alert, held: Alert, isSameState: boolean): readonly (string | false)[] {
  const isOther = (of: (one: Alert) => readonly string[]) => {
    const [told, known] = [new Set(of(alert)), new Set(of(held))];
    return [...told].some((one) => !known.has(one)) || (isSameState && told.size !== known.size);
  };
  return [
    isOther((one) => keysOf(one).filter((key) => isSameState || !key.startsWith('ASIA'))) && 'access key',
    isOther((one) => [one.actor, ...(one.furtherActors ?? [])].map((actor) => identityOf(actor, isSameState))) &&
      'identity',
    isOther(({ resourceIds }) => resourceIds.filter((id) => !keyForm.test(id))) && 'resource',
    held.sample !== alert.sample && 'mark of a sample',
  ];
}

const keyForm = /^A[KS]IA[A-Z0-9]+$/;

function keysOf({ actor, furtherActors = [], accessKeys = [], resourceIds }: Alert): readonly string[] {
  const named = [actor, ...furtherActors].flatMap(({ accessKeyId }) => accessKeyId ?? []);
  return [...named, ...accessKeys, ...resourceIds.filter((id) => keyForm.test(id))];
}

/** Without the session where `isSameState` is false: `AROAEXAMPLE:session`, `assumed-role/name/session`. */
function identityOf({ principalArn, principalId, userName, userType }: Alert['actor'], isSameState: boolean): string {
  if (isSameState) return JSON.stringify([principalArn, principalId, userName, userType]);
  const arn = principalArn?.replace(/(:assumed-role\/[^/]+)\/.*$/, '$1');
  return JSON.stringify([arn, principalId?.split(':')[0], userName, userType]);
}
