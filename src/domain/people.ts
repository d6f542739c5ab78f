/**
 * Who a Slack id is, and what they may do. People, not Slack ids (safety rule 3; DOMAIN.md 1.14). Everything that cannot
 * be told is refused.
 */
import type { PersonProfile } from '../contracts/chat.ts';
import type { Crowd } from './slack-ids.ts';

export interface PeopleRules {
  readonly approvers: Crowd;
  /** Undefined: every full member may investigate and ask for containment. */
  readonly responders: Crowd | undefined;
  /** Which Slack ids belong to one human being. */
  readonly people: readonly {
    readonly name: string;
    readonly slack: readonly string[];
    /** User names, ARNs and session names that are this person in AWS. */
    readonly aws?: readonly string[];
  }[];
}

/** Members of the groups that the rules name, by group id. A group that could not be read is absent. */
export type GroupMembers = ReadonlyMap<string, readonly string[]>;

/**
 * The person behind a Slack id, as a word that can be compared: `name:` by the config's mapping, `email:` by the readable
 * e-mail, `listed:` where only the config vouches for the id, `unknown:` else.
 */
export function personOf(profile: Pick<PersonProfile, 'userId' | 'email'>, rules: PeopleRules): string {
  const mapped = rules.people.find((person) => person.slack.includes(profile.userId));
  const email =
    profile.email === undefined || profile.email === '' ? undefined : `email:${profile.email.toLowerCase()}`;
  // With the e-mail beside the name: a second account of the same person need not be mapped.
  if (mapped !== undefined) return [`name:${mapped.name}`, ...(email === undefined ? [] : [email])].join(' ');
  if (email !== undefined) return email;
  const listed =
    rules.approvers.users.includes(profile.userId) || rules.responders?.users.includes(profile.userId) === true;
  return `${listed ? 'listed' : 'unknown'}:${profile.userId}`;
}

/**
 * True only when the two are certainly two people: two names of the config, two readable e-mails, or two ids that the config
 * vouches for. A name beside an e-mail proves nothing where nobody knows the name's e-mail; an e-mail beside an unreadable one
 * proves nothing either.
 */
export function areTwoPeople(a: string, b: string): boolean {
  if (a === b) return false;
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('unknown')) return false;
  const [emailA, emailB] = [emailOf(a), emailOf(b)];
  if (emailA !== undefined && emailA === emailB) return false;
  if (kinds[0] === 'name' && kinds[1] === 'name') return nameOf(a) !== nameOf(b);
  // Somebody known by e-mail alone is told apart by e-mail alone.
  return !kinds.includes('email') || (emailA !== undefined && emailB !== undefined);
}

/** Why two ids count as one, and what to do about it; for after a colon. */
export const notTwo = 'only two e-mails, or two names under "people" in the config, tell people apart';

/** Why a vote counts as one with `other`, who is `whom`. `byConfig`: given on the host, where the config alone may have to tell who somebody is. */
export function asOne(person: string, other: string, whom: string, byConfig: boolean): string {
  return byConfig && emailOf(person) === undefined && emailOf(other) !== undefined
    ? `Slack does not tell that you are not ${whom}, who was known by e-mail; have it withdrawn or rejected on the host, and ask for it there again`
    : `this seems to be ${whom}; if not, name both under "people" in the config`;
}

function kindOf(person: string): string {
  return person.slice(0, person.indexOf(':'));
}

function emailOf(person: string): string | undefined {
  return /(?:^| )email:(\S+)$/.exec(person)?.[1];
}

function nameOf(person: string): string {
  return person.replace(/ email:\S+$/, '');
}

/** Why somebody may do nothing at all here, or undefined. */
function standingRefusal(profile: PersonProfile): string | undefined {
  if (profile.deleted) return 'this Slack account is deactivated';
  if (profile.bot) return 'bots decide nothing here';
  if (profile.stranger) return 'this person is not a member of our workspace';
  if (profile.guest) return 'guests may read, but neither ask nor approve';
  return undefined;
}

/** Why this person may not ask for investigations or containment, or undefined. `also`: crowds that must hold as well. */
export function askingRefusal(
  profile: PersonProfile,
  rules: PeopleRules,
  groups: GroupMembers,
  also: readonly Crowd[] = [],
): string | undefined {
  const standing = standingRefusal(profile);
  if (standing !== undefined) return standing;
  if (!also.every((crowd) => isOf(profile.userId, crowd, groups))) {
    return 'the policy of the config lets only others ask for this';
  }
  if (rules.responders === undefined) return undefined;
  if (isOf(profile.userId, rules.responders, groups)) return undefined;
  // An approver may look for himself; the rule that he cannot approve his own wish still holds.
  if (approvingRefusal(profile, rules, groups) === undefined) return undefined;
  return 'only responders may ask this';
}

/**
 * Why this person may not approve, or undefined. Where the config names users and groups, both must hold: a Slack admin
 * must not become an approver by editing a group. `also`: crowds that must hold as well.
 */
export function approvingRefusal(
  profile: PersonProfile,
  rules: PeopleRules,
  groups: GroupMembers,
  also: readonly Crowd[] = [],
): string | undefined {
  const standing = standingRefusal(profile);
  if (standing !== undefined) return standing;
  const { users, groups: groupIds } = rules.approvers;
  if (users.length === 0 && groupIds.length === 0) return 'nobody may approve, because the config names no approvers';
  if (users.length > 0 && !users.includes(profile.userId)) return 'only approvers may do this';
  if (groupIds.length > 0 && !groupIds.some((id) => groups.get(id)?.includes(profile.userId))) {
    return 'only members of the approvers’ user group may do this';
  }
  if (!also.every((crowd) => belongsToAll(profile.userId, crowd, groups))) {
    return 'the policy of the config lets only others approve this';
  }
  return undefined;
}

/**
 * Why this person has no say about a target that seems to be themselves, or undefined: the config says so, or the e-mail is the
 * user's or session's name. Nobody contains, or saves, their own identity.
 */
export function involvedRefusal(
  profile: Pick<PersonProfile, 'userId' | 'email'>,
  rules: Pick<PeopleRules, 'people'>,
  touched: readonly string[],
): string | undefined {
  const own = rules.people
    .filter((person) => person.slack.includes(profile.userId))
    .flatMap((person) => person.aws ?? []);
  const email = profile.email?.toLowerCase() ?? '';
  const names = [...own.map((name) => name.toLowerCase()), ...(email === '' ? [] : [email, email.split('@')[0] ?? ''])];
  const isTouched = touched.some((name) => names.includes(name.toLowerCase()));
  return isTouched ? 'you seem to be the person whose identity this is about' : undefined;
}

/** Where a crowd names users and groups, both must hold. */
function belongsToAll(userId: string, crowd: Crowd, groups: GroupMembers): boolean {
  const byId = crowd.users.length === 0 || crowd.users.includes(userId);
  const byGroup = crowd.groups.length === 0 || crowd.groups.some((id) => groups.get(id)?.includes(userId));
  return byId && byGroup && crowd.users.length + crowd.groups.length > 0;
}

/** Named by id or by a group. */
export function isOf(userId: string, crowd: Crowd, groups: GroupMembers): boolean {
  return crowd.users.includes(userId) || crowd.groups.some((id) => groups.get(id)?.includes(userId));
}
