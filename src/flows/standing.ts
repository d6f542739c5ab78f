/** Asks Slack who somebody is, and the rules what he may. Every failure to tell means no (fail closed). */
import type { PersonProfile } from '../contracts/chat.ts';
import { asError } from '../contracts/errors.ts';
import type { Standing } from '../contracts/store.ts';
import { approvingRefusal, askingRefusal, type GroupMembers, personOf } from '../domain/people.ts';
import type { ChatDeps } from './deps.ts';

type Needs = Pick<ChatDeps, 'chat' | 'settings' | 'log' | 'clock'>;

export interface Looked {
  readonly person: string;
  readonly refusal: string | undefined;
}

/** May this Slack id ask for investigations and containment? */
export function askingRefusalOf(userId: string, deps: Needs): Promise<Looked> {
  return look(userId, deps, (profile, groups) => askingRefusal(profile, deps.settings.rules, groups));
}

/** May this Slack id approve? */
export function approvingRefusalOf(userId: string, deps: Needs): Promise<Looked> {
  return look(userId, deps, (profile, groups) => approvingRefusal(profile, deps.settings.rules, groups));
}

/** The same as something to store, for the executor. */
export async function standingOf(userId: string, as: 'requester' | 'approver', deps: Needs): Promise<Standing> {
  const looked = as === 'approver' ? await approvingRefusalOf(userId, deps) : await askingRefusalOf(userId, deps);
  return {
    userId,
    person: looked.person,
    ...(looked.refusal === undefined ? {} : { refused: looked.refusal }),
    checkedAt: deps.clock.now().toISOString(),
  };
}

async function look(
  userId: string,
  deps: Needs,
  judge: (profile: PersonProfile, groups: GroupMembers) => string | undefined,
): Promise<Looked> {
  let profile: PersonProfile;
  try {
    profile = await deps.chat.person(userId);
  } catch (error) {
    deps.log.warn({ userId, error: asError(error) }, 'a person could not be looked up, refused');
    return {
      person: `unknown:${userId}`,
      refusal: 'Slack does not tell who you are right now, so the answer is no; try again',
    };
  }
  return { person: personOf(profile, deps.settings.rules), refusal: judge(profile, await members(deps)) };
}

/** A group that cannot be read is left out, which refuses whoever depends on it. */
async function members({ chat, settings, log }: Needs): Promise<GroupMembers> {
  const { approvers, responders } = settings.rules;
  const found = new Map<string, readonly string[]>();
  for (const id of new Set([...approvers.groups, ...(responders?.groups ?? [])])) {
    try {
      found.set(id, await chat.groupMembers(id));
    } catch (error) {
      log.warn({ group: id, error: asError(error) }, 'a user group could not be read, nobody counts as its member');
    }
  }
  return found;
}
