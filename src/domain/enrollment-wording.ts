/** Who hears of an enrollment for one-time codes, and in what words. */
import type { Message } from '../contracts/message.ts';
import type { KnownEnrollment } from '../contracts/step-up.ts';
import type { GroupMembers, PeopleRules } from './people.ts';
import { date, line, person, say, text } from './phrases.ts';

const mostTold = 50;

/** The person enrolled, whoever confirmed it, and everybody who may approve. */
export function toldOfEnrollment(
  { userId, enrolledBy }: KnownEnrollment,
  { approvers }: Pick<PeopleRules, 'approvers'>,
  groups: GroupMembers,
): readonly string[] {
  const second = confirmedBy(enrolledBy);
  const members = approvers.groups.flatMap((id) => groups.get(id) ?? []);
  const told = [userId, ...(second === undefined ? [] : [second]), ...approvers.users, ...members];
  return [...new Set(told)].slice(0, mostTold);
}

/** `reader` undefined: the channel. */
export function enrollmentMessage(enrollment: KnownEnrollment, reader: string | undefined): Message {
  const { userId, enrolledAt, activeAt, enrolledBy } = enrollment;
  const second = confirmedBy(enrolledBy);
  const again = second === undefined ? 'was given one-time codes' : 'was given new one-time codes';
  const whose = reader === userId ? 'You were' : 'Somebody was';
  const confirmed = second === undefined ? [] : [', confirmed by ', person(second)];
  return say(
    `${whose} enrolled for one-time codes, which count on approvals.`,
    line(
      person(userId),
      ` ${again} on the host at `,
      date(enrolledAt),
      ...confirmed,
      '; they count from ',
      date(activeAt),
      ' on.',
    ),
    line('By ', text(enrolledBy.slice(0, 200)), '.'),
    line(
      reader === userId || reader === second
        ? 'If you know nothing of it, type /ir freeze at once and tell the other approvers: somebody may be about to approve as you.'
        : 'If it was not meant, type /ir freeze at once: somebody may be about to approve in another name.',
    ),
  );
}

/** As `firebreak enroll` writes it. */
function confirmedBy(enrolledBy: string): string | undefined {
  return /, confirmed by ([UW][A-Z0-9]{2,})$/.exec(enrolledBy)?.[1];
}
